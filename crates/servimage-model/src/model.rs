//! A whole ServImageModel on a device: prompts in, head outputs out.

use crate::between::{Between, GoOn};
use crate::error::{LoadError, RunError};
use crate::heads::{AttentionPooling, ConceptHead, ConceptWidths, N_CLASSES, PaymentHead};
use crate::linear::Pass;
use crate::network::{Network, SequenceLayout};
use crate::prefix::{Prefix, PrefixCache};
use crate::source::{PackParams, ParamSource};
use crate::tokens::{EMBEDDING, LM_HEAD, TokenTable};
use burn::tensor::{Device, Tensor, TensorData};
use servimage_kernels::Storage;
use servimage_pack::manifest::{Manifest, ZeroShot};
use servimage_pack::{Pack, PackSource};
use std::borrow::Borrow;
use std::sync::Arc;

/// One prompt with its images.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInput {
    /// Token ids with an image pad for each visual token.
    pub ids: Vec<u32>,
    /// `[ids]` positions on the time, height and width axes.
    pub positions: Vec<[u32; 3]>,
    /// `[n_patches, d_patch]`, image after image.
    pub patches: Vec<f32>,
    /// Time, rows and columns of patches an image.
    pub grids: Vec<[u32; 3]>,
    /// Tokens at the start that other prompts share: what the network makes of them is kept for the next prompt with the same
    /// ones. 0 keeps nothing. No image may begin before it.
    pub prefix_len: usize,
}

/// What the heads say.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelOutput {
    /// Logits of the classes 1 to 5 and N/A, a concept in the order of [`crate::heads::CONCEPT_HEADS`]; absent without that head.
    pub concept_logits: Option<[[f32; N_CLASSES]; 7]>,
    /// Logits of reject and accept; from the payment head, or of the zero-shot answer tokens.
    pub pay_logits: [f32; 2],
    /// LM logits of the digits 1 to 5 at the last position; only where the zero-shot head answers.
    pub digit_logits: Option<[f32; 5]>,
    /// `[ids]` pooling weights of the payment head (of the concept head without one); empty without any.
    pub pooling_weights: Vec<f32>,
}

/// A loaded ServImageModel.
#[derive(Debug)]
pub struct ServImageModel {
    network: Network,
    pub(crate) tokens: TokenTable,
    lm_head: Option<TokenTable>,
    concept_pool: Option<AttentionPooling>,
    pub(crate) concept_head: Option<ConceptHead>,
    payment_pool: Option<AttentionPooling>,
    pub(crate) payment_head: Option<PaymentHead>,
    pub(crate) zero_shot: Option<ZeroShot>,
    image_token: u32,
    d_patch: usize,
    merge: usize,
    device: Device,
    prefixes: PrefixCache,
}

/// What both passes leave on the device, for the rows behind the prefix.
pub(crate) struct Passes {
    /// `[n_visual_tokens, d_model]` of the concept pass.
    pub visual: Tensor<2>,
    /// `[rows, d_model]` after the final norm, sequence after sequence.
    pub concepts: Tensor<2>,
    /// The same of the payment pass; equal where the heads share one pass.
    pub payment: Tensor<2>,
    pub layout: SequenceLayout,
    pub prefix: Option<Arc<Prefix>>,
}

impl ServImageModel {
    /// Loads a pack onto `device`, one tensor at a time; the heads go to the CPU backend.
    ///
    /// `on_bytes` hears the size of each tensor after its upload.
    ///
    /// # Errors
    /// [`LoadError`] where the pack is damaged, incomplete or contradicts itself.
    pub async fn load<S: PackSource>(
        pack: &Pack<S>,
        device: &Device,
        on_bytes: &mut dyn FnMut(u64),
    ) -> Result<Self, LoadError> {
        Self::load_storing(pack, device, Storage::F32, on_bytes).await
    }

    /// [`ServImageModel::load`] with activations between the layers stored as `storage`.
    ///
    /// # Errors
    /// As [`ServImageModel::load`].
    pub async fn load_storing<S: PackSource>(
        pack: &Pack<S>,
        device: &Device,
        storage: Storage,
        on_bytes: &mut dyn FnMut(u64),
    ) -> Result<Self, LoadError> {
        let manifest = pack.manifest().clone();
        let (text, vision) = (&manifest.text, &manifest.vision);
        let table_shape = [text.vocab_size, text.d_model];
        let tokens = TokenTable::load(pack, EMBEDDING, table_shape).await?;
        let lm_head = match manifest.heads.zero_shot.is_some() && !text.tie_word_embeddings {
            true => Some(TokenTable::load(pack, LM_HEAD, table_shape).await?),
            false => None,
        };
        let mut params = PackParams::new(pack, device.clone(), on_bytes).with_storage(storage);
        let network = Network::load(&mut params, text, vision).await?;
        let mut model = Self {
            network,
            tokens,
            lm_head,
            concept_pool: None,
            concept_head: None,
            payment_pool: None,
            payment_head: None,
            zero_shot: manifest.heads.zero_shot.clone(),
            image_token: manifest.special_tokens.image,
            d_patch: vision.in_channels
                * vision.temporal_patch_size
                * vision.patch_size
                * vision.patch_size,
            merge: vision.spatial_merge_size,
            device: device.clone(),
            prefixes: PrefixCache::default(),
        };
        model.load_heads(pack, &manifest, &mut params).await?;
        Ok(model)
    }

    async fn load_heads<S: PackSource>(
        &mut self,
        pack: &Pack<S>,
        manifest: &Manifest,
        params: &mut PackParams<'_, S>,
    ) -> Result<(), LoadError> {
        let d_model = manifest.text.d_model;
        if !manifest.heads.concepts.is_empty() {
            self.concept_pool = Some(AttentionPooling::load(params, "stage1", d_model).await?);
        }
        if manifest.heads.payment {
            self.payment_pool = Some(AttentionPooling::load(params, "stage2", d_model).await?);
        }
        params.set_device(Device::flex());
        if !manifest.heads.concepts.is_empty() {
            let widths = ConceptWidths {
                d_model,
                d_shared1: width(pack, "stage1.shared_encoder.0.weight")?,
                d_shared2: width(pack, "stage1.shared_encoder.4.weight")?,
                d_group: width(pack, "stage1.brf_concept_encoder.0.weight")?,
            };
            self.concept_head = Some(ConceptHead::load(params, widths).await?);
        }
        if manifest.heads.payment {
            let mut widths = [d_model; 6];
            for (i, d_layer) in widths.iter_mut().enumerate().skip(1) {
                *d_layer = width(pack, &format!("stage2.fc{i}.weight"))?;
            }
            self.payment_head = Some(PaymentHead::load(params, widths).await?);
        }
        Ok(())
    }

    /// Runs one prompt.
    ///
    /// # Errors
    /// [`RunError`] where the parts of the input do not belong together, or the device fails.
    pub async fn evaluate(&self, input: &ModelInput) -> Result<ModelOutput, RunError> {
        self.evaluate_between(input, &GoOn).await
    }

    /// [`ServImageModel::evaluate`] with a stop behind each layer.
    ///
    /// # Errors
    /// As [`ServImageModel::evaluate`], and [`RunError::Stopped`] where `between` does not go on.
    pub async fn evaluate_between(
        &self,
        input: &ModelInput,
        between: &impl Between,
    ) -> Result<ModelOutput, RunError> {
        let inputs = std::slice::from_ref(input);
        let mut outputs = self.evaluate_batch_between(inputs, between).await?;
        outputs.pop().ok_or_else(|| RunError::Input {
            what: "prompts",
            expected: "one".to_owned(),
            found: "none".to_owned(),
        })
    }

    /// Runs several prompts with the same prefix in one pass, with one readback for all of them.
    ///
    /// # Errors
    /// As [`ServImageModel::evaluate`], and where the prompts' prefixes differ.
    pub async fn evaluate_batch(
        &self,
        inputs: &[impl Borrow<ModelInput>],
    ) -> Result<Vec<ModelOutput>, RunError> {
        self.evaluate_batch_between(inputs, &GoOn).await
    }

    /// [`ServImageModel::evaluate_batch`] with a stop behind each layer. A prefix that has to be computed first has none.
    ///
    /// # Errors
    /// As [`ServImageModel::evaluate_batch`], and [`RunError::Stopped`] where `between` does not go on.
    pub async fn evaluate_batch_between(
        &self,
        inputs: &[impl Borrow<ModelInput>],
        between: &impl Between,
    ) -> Result<Vec<ModelOutput>, RunError> {
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        let inputs: Vec<&ModelInput> = inputs.iter().map(Borrow::borrow).collect();
        let passes = self.run(&inputs, between).await?;
        self.answer(&passes).await
    }

    /// Queues both passes on the device; one where the heads share it.
    pub(crate) async fn run(
        &self,
        inputs: &[&ModelInput],
        between: &impl Between,
    ) -> Result<Passes, RunError> {
        for input in inputs {
            input.check(self.image_token, self.merge, self.d_patch)?;
        }
        let prefix = self.shared_prefix(inputs).await?;
        let skip = prefix.as_ref().map_or(0, |prefix| prefix.ids.len());
        let mut layout = SequenceLayout::default();
        for input in inputs {
            layout.push(
                &input.ids[skip..],
                &input.positions[skip..],
                self.image_token,
            );
        }
        let ids = inputs.iter().flat_map(|input| &input.ids[skip..]).copied();
        let text_rows = self.embed(ids)?;
        let patches: Vec<_> = inputs.iter().map(|input| &input.patches[..]).collect();
        let grids: Vec<_> = inputs
            .iter()
            .flat_map(|input| &input.grids)
            .copied()
            .collect();
        let patches = self.upload(patches.concat(), self.d_patch);
        let run_pass = async |pass: Pass| {
            let see = self
                .network
                .see_between(patches.clone(), &grids, pass, between);
            let visual = see.await?;
            let keys = prefix.as_ref().map_or(&[][..], |prefix| prefix.keys(pass));
            let read = self
                .network
                .read_between(&text_rows, &visual, &layout, keys, pass, between);
            let hidden = read.await?;
            Ok::<_, RunError>((visual.tokens, hidden))
        };
        let (visual, concepts) = run_pass(Pass::Concepts).await?;
        let payment = match self.has_payment_pass() {
            true => run_pass(Pass::Payment).await?.1,
            false => concepts.clone(),
        };
        Ok(Passes {
            visual,
            concepts,
            payment,
            layout,
            prefix,
        })
    }

    /// Whether payment takes a pass of its own.
    pub(crate) fn has_payment_pass(&self) -> bool {
        self.payment_pool.is_some() && self.network.has_adapter()
    }

    /// The prefix that all of `inputs` share, from the cache or computed now.
    async fn shared_prefix(&self, inputs: &[&ModelInput]) -> Result<Option<Arc<Prefix>>, RunError> {
        let first = inputs[0];
        let len = first.prefix_len;
        let differs = |input: &&ModelInput| {
            input.prefix_len != len
                || input.ids[..len] != first.ids[..len]
                || input.positions[..len] != first.positions[..len]
        };
        if inputs.iter().any(differs) {
            return Err(RunError::Input {
                what: "prefixes of the prompts in one batch",
                expected: "the same".to_owned(),
                found: "different ones".to_owned(),
            });
        }
        if len == 0 {
            return Ok(None);
        }
        let kept = self.keep_prefix(&first.ids[..len], &first.positions[..len]);
        Ok(Some(kept.await?))
    }

    pub(crate) fn prefixes(&self) -> &PrefixCache {
        &self.prefixes
    }

    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    pub(crate) fn pools(&self) -> [Option<&AttentionPooling>; 2] {
        [self.concept_pool.as_ref(), self.payment_pool.as_ref()]
    }

    /// Token of image places.
    pub(crate) fn image_token(&self) -> u32 {
        self.image_token
    }

    /// Embedded text tokens, `[n_text, d_model]`; image places are left out.
    pub(crate) fn embed(&self, ids: impl Iterator<Item = u32>) -> Result<Tensor<2>, RunError> {
        let text_ids = ids.filter(|&id| id != self.image_token);
        let rows = self.tokens.rows(text_ids)?;
        Ok(self.upload(rows, self.tokens.d_model()))
    }

    fn upload(&self, values: Vec<f32>, width: usize) -> Tensor<2> {
        let rows = values.len() / width;
        Tensor::from_data(TensorData::new(values, [rows, width]), &self.device)
    }

    /// Whether the pack carries a trained head.
    pub(crate) fn has_heads(&self) -> bool {
        self.concept_head.is_some() || self.payment_head.is_some()
    }

    /// Whether the pack carries the payment head.
    pub(crate) fn has_payment_head(&self) -> bool {
        self.payment_head.is_some()
    }

    /// Rows of the LM head, which may be the token embedding.
    pub(crate) fn answer_table(&self) -> &TokenTable {
        self.lm_head.as_ref().unwrap_or(&self.tokens)
    }

    /// The device that runs the network.
    pub fn device(&self) -> &Device {
        &self.device
    }
}

/// Number of outputs of a linear weight in the pack.
fn width<S: PackSource>(pack: &Pack<S>, name: &str) -> Result<usize, LoadError> {
    let entry = pack.entry(name).ok_or_else(|| LoadError::Missing {
        name: name.to_owned(),
    })?;
    Ok(entry.shape.first().copied().unwrap_or(0))
}
