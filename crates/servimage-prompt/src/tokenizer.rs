//! `tokenizer.json` of the checkpoint, through the `tokenizers` crate without its C dependencies.

use crate::error::PromptError;
use crate::parts::check_parts;

/// Turns text into token ids.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// Texts that become one token each wherever they stand, longest first.
    added: Vec<(String, u32)>,
}

impl Tokenizer {
    /// Reads the bytes of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`PromptError::Tokenizer`] where the bytes are no tokenizer, [`PromptError::TokenizerPart`] where it is of another kind than
    /// byte-level BPE.
    pub fn from_json(bytes: &[u8]) -> Result<Self, PromptError> {
        check_parts(bytes)?;
        let mut inner = tokenizers::Tokenizer::from_bytes(bytes)
            .map_err(|source| PromptError::Tokenizer { source })?;
        // A prompt is cut by its own rules; what a file asks for here is memory.
        inner.with_padding(None);
        if let Err(source) = inner.with_truncation(None) {
            return Err(PromptError::Tokenizer { source });
        }
        let decoder = inner.get_added_tokens_decoder();
        let mut added: Vec<_> = decoder
            .into_iter()
            .map(|(id, token)| (token.content, id))
            .collect();
        added.retain(|(content, _)| !content.is_empty());
        added.sort_by(|(a, id_a), (b, id_b)| b.len().cmp(&a.len()).then(id_a.cmp(id_b)));
        Ok(Self { inner, added })
    }

    /// Token ids of a text; special tokens written in it become themselves, none are added around it.
    ///
    /// # Errors
    /// [`PromptError::Encode`] where the tokenizer's model has no token for a part of the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, PromptError> {
        Ok(self.encoding(text)?.get_ids().to_vec())
    }

    /// Number of tokens that it knows.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// Text of the added token `id`; `None` for an ordinary or unknown token.
    pub fn added_token(&self, id: u32) -> Option<&str> {
        self.added
            .iter()
            .find(|(_, added)| *added == id)
            .map(|(content, _)| content.as_str())
    }

    /// Whether `id` is an added token: one that is written out in the text rather than learned from it.
    pub fn is_added(&self, id: u32) -> bool {
        self.added_token(id).is_some()
    }

    /// The text with every added token in it broken by a space, so that it encodes as plain text and still reads the same.
    pub fn as_plain_text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (content, _) in &self.added {
            if text.contains(content.as_str()) {
                let first_len = content.chars().next().map_or(0, char::len_utf8);
                let broken = format!("{} {}", &content[..first_len], &content[first_len..]);
                text = text.replace(content.as_str(), &broken);
            }
        }
        text
    }

    /// The longest start of a text that takes at most `max_tokens`, and whether that is less than the whole.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn cut<'a>(
        &self,
        text: &'a str,
        max_tokens: usize,
    ) -> Result<(&'a str, bool), PromptError> {
        let mut kept = text;
        loop {
            let encoding = self.encoding(kept)?;
            if encoding.len() <= max_tokens {
                return Ok((kept, kept.len() < text.len()));
            }
            let end = max_tokens
                .checked_sub(1)
                .map_or(0, |last| encoding.get_offsets()[last].1);
            // A byte-level token can end inside a character. The cut text can take more tokens than before the cut, so
            // each round gives up a character at least.
            let end = end.min(kept.len() - 1);
            kept = &kept[..kept.floor_char_boundary(end)];
        }
    }

    fn encoding(&self, text: &str) -> Result<tokenizers::Encoding, PromptError> {
        let length_bytes = text.len();
        self.inner
            .encode(text, false)
            .map_err(|source| PromptError::Encode {
                length_bytes,
                source,
            })
    }
}
