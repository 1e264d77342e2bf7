//! Text with named slots in braces; a doubled brace stands for itself.

use crate::error::PromptError;

/// Slots of the template's `text`.
pub(crate) const TEXT_SLOTS: &[&str] = &[
    "requirement",
    "subtasks",
    "output_quantity",
    "price_usd",
    "deliverable",
    "n_deliverables",
    "subtask",
    "points",
    "image_lines",
];

/// Slots of an image line.
pub(crate) const IMAGE_LINE_SLOTS: &[&str] = &["index"];

/// One piece of a slotted text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Slot(String),
}

/// A text split at its slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slotted {
    pieces: Vec<Piece>,
}

impl Slotted {
    /// Splits `text`, the template's field `part`, at its slots.
    pub(crate) fn parse(
        part: &'static str,
        text: &str,
        known: &'static [&'static str],
    ) -> Result<Self, PromptError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..];
            if brace.starts_with("{{") || brace.starts_with("}}") {
                literal.push_str(&brace[..1]);
                rest = &brace[2..];
                continue;
            }
            let unmatched = || PromptError::UnmatchedBrace {
                part,
                at: text.len() - brace.len(),
            };
            let slot = brace
                .strip_prefix('{')
                .and_then(|inner| inner.split_once('}'))
                .ok_or_else(unmatched)?;
            if slot.0.contains('{') {
                return Err(unmatched());
            }
            if !known.contains(&slot.0) {
                return Err(PromptError::UnknownSlot {
                    part,
                    slot: slot.0.to_owned(),
                    known,
                });
            }
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
            pieces.push(Piece::Slot(slot.0.to_owned()));
            rest = slot.1;
        }
        literal.push_str(rest);
        pieces.push(Piece::Text(literal));
        Ok(Self { pieces })
    }

    /// Puts a value into every slot.
    pub(crate) fn fill(&self, value: impl Fn(&str) -> String) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Slot(slot) => value(slot),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Slotted, PromptError> {
        Slotted::parse("text", text, TEXT_SLOTS)
    }

    #[test]
    fn doubled_braces_stand_for_themselves_and_slots_are_filled() {
        let slotted = parse("{{a}} {subtask}{points}}}").expect("well formed");
        assert_eq!(
            slotted.fill(|slot| format!("<{slot}>")),
            "{a} <subtask><points>}"
        );
    }

    #[test]
    fn a_filled_in_value_is_not_read_as_slots() {
        let slotted = parse("{subtask}").expect("well formed");
        assert_eq!(slotted.fill(|_| "{points} {{".to_owned()), "{points} {{");
    }

    #[test]
    fn an_unknown_slot_and_a_lone_brace_are_named() {
        let unknown = parse("x {price}").expect_err("no such slot").to_string();
        assert!(
            unknown.contains("`{price}`") && unknown.contains("price_usd"),
            "{unknown}"
        );
        for text in ["abc } d", "abc {subtask", "abc { {subtask}"] {
            assert!(
                matches!(parse(text), Err(PromptError::UnmatchedBrace { at: 4, .. })),
                "{text}"
            );
        }
    }
}
