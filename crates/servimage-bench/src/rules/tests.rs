//! The rule table of the specification, row by row.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::{ImageFacts, check_rules};
use crate::task::{Deliverable, Task};
use crate::verdict::RuleOutcome::{self, CannotCheck, Fail, Pass, Warning};
use crate::verdict::RuleResult;
use serde_json::{Value, json};

fn facts(width: u32, height: u32) -> ImageFacts {
    ImageFacts {
        file_type: "JPEG".into(),
        width,
        height,
        ..ImageFacts::default()
    }
}

fn check(rules: Value, facts: &ImageFacts) -> Vec<RuleResult> {
    let deliverable = Deliverable {
        index: 1,
        rules,
        ..Deliverable::default()
    };
    let task = Task {
        deliverables: vec![deliverable],
        ..Task::default()
    };
    check_rules(&task, 1, facts)
}

/// Outcome of the one rule in `specs`, which stand under `visual_specs`.
fn spec(specs: Value, facts: &ImageFacts) -> RuleOutcome {
    let results = check(json!({ "visual_specs": specs }), facts);
    assert_eq!(results.len(), 1, "{results:?}");
    results[0].outcome
}

#[test]
fn a_listed_raster_type_passes_under_any_spelling() {
    for types in [
        json!(["JPG"]),
        json!(["png", ".jpeg"]),
        json!("JPG"),
        json!(["PNG/JPG"]),
    ] {
        assert_eq!(
            check(json!({ "file_type": types }), &facts(8, 8))[0].outcome,
            Pass,
            "{types}"
        );
    }
    let results = check(json!({ "file_type": ["PNG", "WEBP"] }), &facts(8, 8));
    assert_eq!((results[0].outcome, results.len()), (Fail, 1));
    assert_eq!(
        (results[0].required.as_str(), results[0].measured.as_str()),
        ("PNG or WEBP", "JPEG")
    );
}

#[test]
fn source_files_cannot_be_checked_and_never_fail() {
    for types in [
        json!(["AI", "CDR"]),
        json!(["源文件"]),
        json!(["Source Files"]),
        json!(["300dpi"]),
    ] {
        let results = check(json!({ "file_type": types }), &facts(8, 8));
        assert_eq!(
            (results[0].outcome, results.len()),
            (CannotCheck, 1),
            "{types}"
        );
    }
    let both = check(json!({ "file_type": ["AI", "JPG", "PSD"] }), &facts(8, 8));
    assert_eq!(
        both.iter().map(|result| result.outcome).collect::<Vec<_>>(),
        [Pass, CannotCheck]
    );
    assert_eq!(both[1].required, "AI, PSD");
}

#[test]
fn an_aspect_ratio_is_a_shape_not_a_size() {
    for (ratio, width, height, outcome) in [
        ("16:9", 1920, 1080, Pass),
        ("16:9", 1344, 768, Pass),
        ("16:9", 1080, 1920, Fail),
        ("16:9", 1024, 1024, Fail),
        ("3500:2500", 1400, 1000, Pass),
        ("3500:2500", 3500, 2600, Fail),
        ("23:17.5", 2300, 1750, Pass),
        ("1:1.41", 1000, 1414, Pass),
        ("9：16", 1080, 1920, Pass),
        ("1.6", 1000, 1600, Pass),
        ("1.6", 1600, 1000, Pass),
        ("1.6", 1000, 1000, Fail),
        ("竖版", 700, 900, Pass),
        ("横版", 700, 900, Warning),
        ("variable", 700, 900, CannotCheck),
        ("0:0", 700, 900, CannotCheck),
        ("16:0", 700, 900, CannotCheck),
        ("根据平台要求", 700, 900, CannotCheck),
    ] {
        assert_eq!(
            spec(json!({ "aspect_ratio": ratio }), &facts(width, height)),
            outcome,
            "{ratio} {width}x{height}"
        );
    }
}

#[test]
fn a_missed_default_ratio_is_only_a_warning() {
    assert_eq!(
        spec(json!({ "aspect_ratio": "1:1" }), &facts(1200, 800)),
        Warning
    );
    assert_eq!(
        spec(json!({ "aspect_ratio": "1:1" }), &facts(800, 801)),
        Pass
    );
    let against = json!({ "visual_specs": { "aspect_ratio": "1:1", "dimensions": { "width": 1200, "height": 800 } } });
    let outcomes: Vec<_> = check(against, &facts(1200, 800))
        .iter()
        .map(|result| result.outcome)
        .collect();
    assert_eq!(outcomes, [Pass, Warning]);
    let square = json!({ "visual_specs": { "aspect_ratio": "1:1", "dimensions": { "width": 800, "height": 800 } } });
    let outcomes: Vec<_> = check(square, &facts(1200, 800))
        .iter()
        .map(|result| result.outcome)
        .collect();
    assert_eq!(outcomes, [Fail, Fail]);
}

#[test]
fn dimensions_are_exact_and_bounds_are_bounds() {
    for (dimensions, outcome) in [
        (json!({ "width": 1080, "height": 1920 }), Pass),
        (json!({ "width": 1080 }), Pass),
        (json!({ "width": 1081, "height": 1920 }), Fail),
        (json!({ "width": 1920, "height": 1080 }), Fail),
        (json!({ "min_width": 1080, "min_height": 1000 }), Pass),
        (json!({ "min_width": 1081 }), Fail),
        (json!({ "max_width": 1080 }), Pass),
        (json!({ "max_height": 1919 }), Fail),
        (json!({}), CannotCheck),
        (json!("A4"), CannotCheck),
    ] {
        assert_eq!(
            spec(json!({ "dimensions": dimensions }), &facts(1080, 1920)),
            outcome,
            "{dimensions}"
        );
    }
}

#[test]
fn any_of_several_sizes_may_match() {
    let list = json!([{ "width": 240, "height": 240 }, { "width": 360, "height": 360 }]);
    assert_eq!(spec(json!({ "dimensions": list }), &facts(360, 360)), Pass);
    assert_eq!(spec(json!({ "dimensions": list }), &facts(361, 360)), Fail);
    let areas = json!({ "pc": { "width": 1920, "height": 600 }, "mobile": { "width": 750, "height": 500 } });
    assert_eq!(spec(json!({ "dimensions": areas }), &facts(750, 500)), Pass);
    let missed = check(
        json!({ "visual_specs": { "dimensions": areas } }),
        &facts(750, 600),
    );
    assert_eq!(missed[0].outcome, Fail);
    assert_eq!(missed[0].measured, "750 x 600 px");
    assert!(
        missed[0].required.contains("pc: 1920 x 600 px"),
        "{}",
        missed[0].required
    );
    assert!(
        missed[0].required.contains("mobile: 750 x 500 px"),
        "{}",
        missed[0].required
    );
}

#[test]
fn centimetres_and_damaged_sizes_never_fail() {
    for (dimensions, outcome) in [
        (json!({ "width": 5.7, "height": 5.8 }), CannotCheck),
        (
            json!({ "width": 275, "height": 180, "depth": 95 }),
            CannotCheck,
        ),
        (json!({ "width": 90, "height": 54 }), Warning),
        (json!({ "width": 6080, "height": 0 }), Warning),
        (json!({ "min_width": 0, "min_height": 0 }), Warning),
    ] {
        assert_eq!(
            spec(json!({ "dimensions": dimensions }), &facts(1024, 1024)),
            outcome,
            "{dimensions}"
        );
    }
    assert_eq!(
        spec(
            json!({ "dimensions": { "width": 32, "height": 32 } }),
            &facts(32, 32)
        ),
        Pass
    );
}

#[test]
fn resolution_is_read_from_the_file_or_not_at_all() {
    let at = |dpi| ImageFacts {
        dpi,
        ..facts(64, 64)
    };
    let rule = |min_dpi: f64| json!({ "resolution": { "min_dpi": min_dpi } });
    assert_eq!(spec(rule(300.0), &at(Some(299.9994))), Pass);
    assert_eq!(spec(rule(300.0), &at(Some(72.0))), Fail);
    assert_eq!(spec(rule(300.0), &at(None)), CannotCheck);
    assert_eq!(spec(rule(8000.0), &at(Some(300.0))), Warning);
    assert_eq!(
        spec(json!({ "resolution": "high" }), &at(Some(300.0))),
        CannotCheck
    );
}

#[test]
fn a_background_is_measured_where_it_has_one_colour() {
    let with = |rgb| ImageFacts {
        background_rgb: rgb,
        ..facts(64, 64)
    };
    for (color, rgb, outcome) in [
        ("white", [252, 253, 250], Pass),
        ("白色", [180, 200, 255], Fail),
        ("#FFFFFF", [250, 250, 250], Pass),
        ("#fff", [200, 250, 250], Fail),
        ("rgb(0, 64, 128)", [4, 60, 130], Pass),
        ("blue", [60, 120, 230], Pass),
        ("蓝色背景", [67, 142, 219], Pass),
        ("blue", [220, 40, 40], Fail),
        ("red", [130, 128, 128], Fail),
        ("dark", [20, 24, 40], Pass),
        ("dark", [240, 240, 240], Fail),
        ("warm and inviting", [240, 240, 240], CannotCheck),
        ("#12345", [240, 240, 240], CannotCheck),
    ] {
        assert_eq!(
            spec(json!({ "background_color": color }), &with(Some(rgb))),
            outcome,
            "{color} {rgb:?}"
        );
    }
    assert_eq!(
        spec(json!({ "background_color": "white" }), &with(None)),
        CannotCheck
    );
    let clear = ImageFacts {
        has_alpha: true,
        ..facts(64, 64)
    };
    assert_eq!(
        spec(json!({ "background_color": "transparent" }), &clear),
        Pass
    );
    assert_eq!(
        spec(json!({ "background_color": "透明" }), &facts(64, 64)),
        Fail
    );
}

#[test]
fn what_is_not_known_is_shown_and_not_judged() {
    let rules = json!({
        "annotation": "a note",
        "required_text": { "must_include_verbatim": ["ABC"] },
        "visual_specs": { "colors": ["blue", "white"], "style": "calm", "min_pages": 16 },
    });
    let results = check(rules, &facts(64, 64));
    assert_eq!(results.len(), 5);
    assert!(
        results
            .iter()
            .all(|result| result.outcome == CannotCheck && !result.required.is_empty())
    );
    let colors = results
        .iter()
        .find(|result| result.rule == "visual_specs.colors")
        .unwrap();
    assert_eq!(colors.required, "blue, white");
    assert_eq!(
        check(json!(["anything"]), &facts(64, 64))[0].outcome,
        CannotCheck
    );
    assert_eq!(check(Value::Null, &facts(64, 64)), []);
    assert_eq!(check_rules(&Task::default(), 7, &facts(64, 64)), []);
}
