//! The positions of text and images are those of the reference implementation.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where a fixture is not as expected"
)]

use servimage_pack::manifest::SpecialTokens;
use servimage_prompt::{PromptError, image_spans, mrope_positions};

const SPECIAL: SpecialTokens = SpecialTokens {
    image: 5,
    video: 6,
    vision_start: 3,
    vision_end: 4,
};
const MERGE: u32 = 2;
const TEXT: u32 = 100;

/// One case of `positions.json`, which `make_positions.py` writes from the reference.
#[derive(serde::Deserialize)]
struct Case {
    texts: Vec<usize>,
    grids: Vec<[u32; 3]>,
    positions: [Vec<u32>; 3],
}

fn ids_of(texts: &[usize], grids: &[[u32; 3]]) -> Vec<u32> {
    let mut ids = vec![TEXT; texts[0]];
    for (n_text, [t, h, w]) in texts[1..].iter().zip(grids) {
        ids.extend(vec![SPECIAL.image; (t * h * w / MERGE.pow(2)) as usize]);
        ids.extend(vec![TEXT; *n_text]);
    }
    ids
}

#[test]
fn positions_equal_the_reference_for_no_one_and_six_images() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("positions.json")).unwrap();
    assert_eq!(cases.last().unwrap().grids.len(), 6);
    for Case {
        texts,
        grids,
        positions: [t, h, w],
    } in cases
    {
        let found = mrope_positions(&ids_of(&texts, &grids), &grids, &SPECIAL, MERGE).unwrap();
        let expected: Vec<[u32; 3]> = (0..t.len()).map(|i| [t[i], h[i], w[i]]).collect();
        assert_eq!(found, expected, "texts {texts:?}, grids {grids:?}");
    }
}

#[test]
fn two_images_without_text_between_them_are_still_two() {
    let grids = [[1, 2, 4], [1, 4, 2]];
    let ids = ids_of(&[1, 0, 1], &grids);
    assert_eq!(
        image_spans(&ids, &grids, &SPECIAL, MERGE).unwrap(),
        [1..3, 3..5]
    );
    let positions = mrope_positions(&ids, &grids, &SPECIAL, MERGE).unwrap();
    assert_eq!(
        positions,
        [[0; 3], [1, 1, 1], [1, 1, 2], [3, 3, 3], [3, 4, 3], [5; 3]]
    );
}

#[test]
fn grids_that_do_not_fit_the_tokens_are_refused_with_the_numbers() {
    let grids = [[1, 4, 4], [1, 2, 2]];
    let ids = ids_of(&[2, 1, 1], &grids);
    let error =
        |grids: &[[u32; 3]], ids: &[u32]| mrope_positions(ids, grids, &SPECIAL, MERGE).unwrap_err();
    assert!(matches!(
        error(&grids[..1], &ids),
        PromptError::ImageCount {
            expected: 1,
            found: 2
        }
    ));
    assert!(matches!(
        error(&[], &ids),
        PromptError::ImageCount {
            expected: 0,
            found: 2
        }
    ));
    let three = [grids[0], grids[1], grids[1]];
    assert!(matches!(
        error(&three, &ids),
        PromptError::ImageCount {
            expected: 3,
            found: 2
        }
    ));
    let large = [[1, 4, 6], grids[1]];
    assert!(matches!(
        error(&large, &ids),
        PromptError::ImageTokenCount {
            index: 0,
            expected: 6,
            found: 4
        }
    ));
    let last_small = [grids[0]];
    let one_too_many = [&ids_of(&[2, 0], &last_small)[..], &[SPECIAL.image, TEXT]].concat();
    let found = error(&last_small, &one_too_many);
    assert!(
        matches!(
            found,
            PromptError::ImageTokenCount {
                index: 0,
                expected: 4,
                found: 5
            }
        ),
        "{found:?}"
    );
    assert!(matches!(
        error(&[[1, 3, 4], grids[1]], &ids),
        PromptError::Grid {
            index: 0,
            merge: 2,
            ..
        }
    ));
    assert!(matches!(
        error(&[], &[TEXT, SPECIAL.video]),
        PromptError::VideoToken { at: 1 }
    ));
}
