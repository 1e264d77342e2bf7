//! Promises over upstream's result files: bytes stay, bad rows are named, numbers are deliverables.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use serde_json::json;
use servimage_bench::results::{Decision, ResultRow, read_rows, write_rows};

/// A row in upstream's form (fields as the specification shows them, values our own).
const ROW: &str = r#"{"model": "some-model", "task_id": "product-003", "category": "C-Product", "notes": "", "timestamp": "2026-01-02T03:04:05.060708", "subtask_idx": 1, "subtask_name": "subtask_10", "label": 1}"#;

#[test]
fn rows_come_back_byte_for_byte() {
    let odd = r#"{"label":0.0,"zeta":[1.50,1e3],"subtask_name":"subtask_2","note":"\u4e2d\u6587 \/","task_id":"digital-001","big":12345678901234567890123  }"#;
    let text = format!("{ROW}\n{odd}\n");
    let read = read_rows(&text);
    assert!(read.errors.is_empty(), "{:?}", read.errors);
    assert_eq!(write_rows(&read.rows), text);
    assert_eq!(read.rows[1].raw("zeta"), Some("[1.50,1e3]"));
    assert_eq!(read.rows[1].text("note").unwrap(), "中文 /");
    assert_eq!(read.rows[0].keys().last(), Some("label"));
}

#[test]
fn the_deliverable_is_the_number_in_the_name() {
    let row = ResultRow::parse(ROW, 1).unwrap();
    assert_eq!(row.deliverable(), Some(10));
    assert_eq!(
        (row.task_id().as_str(), row.accepted()),
        ("product-003", Some(true))
    );
    assert_eq!(row.model().as_deref(), Some("some-model"));
}

#[test]
fn a_bad_line_is_named_and_the_other_rows_stay() {
    let text = format!(
        "\u{feff}{ROW}\r\n\n{{\"task_id\": \"a\n[1]\n{}\n{}\n{}\n{ROW}",
        r#"{"task_id": "a-1", "subtask_name": "subtask_0", "label": 1}"#,
        r#"{"task_id": "a-1", "subtask_name": "subtask_1", "label": "yes"}"#,
        r#"{"subtask_name": "subtask_1", "label": 1}"#,
    );
    let read = read_rows(&text);
    assert_eq!(read.rows.len(), 2);
    let errors: Vec<_> = read.errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 5);
    for (error, (line, what)) in errors.iter().zip([
        (3, "object"),
        (4, "object"),
        (5, "subtask_0"),
        (6, "yes"),
        (7, "task_id"),
    ]) {
        assert!(
            error.starts_with(&format!("line {line}: ")) && error.contains(what),
            "{error}"
        );
    }
}

#[test]
fn setting_a_field_touches_no_other_byte() {
    let mut row = ResultRow::parse(ROW, 1).unwrap();
    row.set("notes", &json!("a longer \"note\""));
    row.set("label", &json!(0));
    row.set("p_pay", &json!(0.25));
    let expected = ROW
        .replace(r#""notes": """#, r#""notes": "a longer \"note\"""#)
        .replace(r#""label": 1}"#, r#""label": 0, "p_pay": 0.25}"#);
    assert_eq!(row.line(), expected);
    assert_eq!(
        (row.accepted(), row.raw("p_pay"), row.deliverable()),
        (Some(false), Some("0.25"), Some(10))
    );
    assert_eq!(ResultRow::parse(row.line(), 1).unwrap(), row);

    let mut compact =
        ResultRow::parse(r#"{"task_id":"a","subtask_name":"subtask_1","label":1}"#, 1).unwrap();
    compact.set("p_pay", &json!(1));
    assert_eq!(
        compact.line(),
        r#"{"task_id":"a","subtask_name":"subtask_1","label":1,"p_pay":1}"#
    );
}

#[test]
fn our_rows_have_upstreams_form() {
    let decision = Decision {
        model: "some-model",
        task_id: "product-003",
        category: "C-Product",
        notes: "",
        timestamp: "2026-01-02T03:04:05.060708",
        deliverable: 10,
        n_deliverables: 12,
        accepted: true,
    };
    assert_eq!(ResultRow::new(&decision).line(), ROW);
    // In the sorted order of names, 2 stands behind 1, 10, 11 and 12.
    let second = ResultRow::new(&Decision {
        deliverable: 2,
        accepted: false,
        ..decision
    });
    assert_eq!(
        (second.raw("subtask_idx"), second.accepted()),
        (Some("4"), Some(false))
    );
}
