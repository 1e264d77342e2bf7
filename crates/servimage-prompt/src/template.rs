//! The project's own wording. A pack carries the wording that its checkpoint was trained with; this is what a
//! newly trained or plain checkpoint is converted with.

use servimage_pack::manifest::PromptTemplate;

/// The wording of `data/default_template.json`: a system rubric and a user message in Qwen's chat format.
pub fn default_template() -> PromptTemplate {
    serde_json::from_str(include_str!("../data/default_template.json"))
        .expect("the committed template parses, as a test shows")
}
