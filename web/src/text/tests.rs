//! Both tables are whole.

use super::{ALL_KEYS, Lang, fill, text};
use std::collections::BTreeSet;

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
            assert!(!text(lang, *key).trim().is_empty(), "{key:?} in {lang:?}");
        }
    }
}

#[test]
fn both_languages_fill_in_the_same_values() {
    for key in ALL_KEYS {
        assert_eq!(
            names(text(Lang::En, *key)),
            names(text(Lang::Zh, *key)),
            "{key:?}"
        );
    }
}

#[test]
fn chinese_texts_are_chinese() {
    // Names of devices and formats read the same everywhere.
    let same = ["CPU", "GPU（WebGPU）", "{done} / {total}"];
    for key in ALL_KEYS {
        let chinese = text(Lang::Zh, *key);
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
