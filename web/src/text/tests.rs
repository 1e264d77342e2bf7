//! Both tables are whole.

use super::{ALL_KEYS, Lang, TABLES, fill, take_table, text};
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// The files that the page fetches.
const FILES: [(Lang, &str); 2] = [
    (Lang::En, include_str!("../../../public/texts/en.json")),
    (Lang::Zh, include_str!("../../../public/texts/zh.json")),
];

/// Keys and texts of a file, in its order.
fn rows(file: &str) -> Vec<(String, String)> {
    let lines = file.lines().filter_map(|line| line.split_once("\": "));
    let json = |text: &str| serde_json::from_str::<String>(text).expect("one JSON text a line");
    lines
        .map(|(key, text)| {
            let key = key.trim().trim_start_matches('"').to_owned();
            (key, json(text.trim_end_matches(',')))
        })
        .collect()
}

/// What fetching does in the browser.
pub(super) fn take_tables() {
    for (lang, file) in FILES {
        TABLES[lang as usize]
            .get_or_init(|| rows(file).into_iter().map(|(_, text)| text).collect());
    }
}

#[test]
fn both_files_answer_every_key_in_the_order_of_the_keys() {
    let keys: Vec<String> = ALL_KEYS.iter().map(|key| format!("{key:?}")).collect();
    for (lang, file) in FILES {
        let found: Vec<String> = rows(file).into_iter().map(|(key, _)| key).collect();
        assert_eq!(found, keys, "{lang:?}");
        serde_json::from_str::<&RawValue>(file).expect("JSON");
    }
}

#[test]
fn a_table_of_another_version_is_not_taken() {
    assert!(!take_table(Lang::En, vec!["one text".to_owned()]));
}

fn names(template: &str) -> BTreeSet<&str> {
    template
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn no_text_is_empty_in_any_language() {
    for key in ALL_KEYS {
        for lang in [Lang::En, Lang::Zh] {
            assert!(!text(lang, key).trim().is_empty(), "{key:?} in {lang:?}");
        }
    }
}

#[test]
fn both_languages_fill_in_the_same_values() {
    for key in ALL_KEYS {
        assert_eq!(
            names(text(Lang::En, key)),
            names(text(Lang::Zh, key)),
            "{key:?}"
        );
    }
}

#[test]
fn chinese_texts_are_chinese() {
    // Names of devices and formats read the same everywhere.
    let same = ["CPU", "GPU（WebGPU）", "{done} / {total}"];
    for key in ALL_KEYS {
        let chinese = text(Lang::Zh, key);
        let has_han = chinese
            .chars()
            .any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(
            has_han || same.contains(&chinese),
            "{key:?} is not translated: {chinese}"
        );
    }
}

#[test]
fn values_take_the_place_of_their_names() {
    assert_eq!(fill("{a} of {b}", &[("b", "4"), ("a", "3")]), "3 of 4");
    assert_eq!(fill("{unknown} stays", &[]), "unknown stays");
    assert_eq!(fill("no names", &[("a", "1")]), "no names");
    assert_eq!(
        fill("{a}", &[("a", "{b}"), ("b", "x")]),
        "{b}",
        "values are not filled again"
    );
}

#[test]
fn the_browser_language_picks_the_table() {
    assert_eq!(Lang::from_tag("zh-Hant-TW"), Lang::Zh);
    assert_eq!(Lang::from_tag("de-DE"), Lang::En);
}
