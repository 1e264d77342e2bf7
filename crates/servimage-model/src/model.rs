//! A whole ServImageModel on a device: one prompt in, head outputs out.

use crate::error::{LoadError, RunError};
use crate::heads::{AttentionPooling, ConceptHead, ConceptWidths, N_CLASSES, PaymentHead, Pooled};
use crate::linear::Pass;
use crate::network::{Network, SequenceLayout};
use crate::readback::{last_row, pair, read, row};
use crate::source::{PackParams, ParamSource};
use crate::tokens::{EMBEDDING, LM_HEAD, TokenTable};
use burn::tensor::{Device, Tensor, TensorData};
use servimage_pack::manifest::{Manifest, ZeroShot};
use servimage_pack::{Pack, PackSource};

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
    tokens: TokenTable,
    lm_head: Option<TokenTable>,
    concept_pool: Option<AttentionPooling>,
    concept_head: Option<ConceptHead>,
    payment_pool: Option<AttentionPooling>,
    payment_head: Option<PaymentHead>,
    zero_shot: Option<ZeroShot>,
    image_token: u32,
    d_patch: usize,
    merge: usize,
    device: Device,
}

/// What both passes leave on the device.
pub(crate) struct Passes {
    /// `[n_visual_tokens, d_model]` of the concept pass.
    pub visual: Tensor<2>,
    /// `[1, seq_len, d_model]` after the final norm.
    pub concepts: Tensor<3>,
    /// The same of the payment pass; equal where the heads share one pass.
    pub payment: Tensor<3>,
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
        let manifest = pack.manifest().clone();
        let (text, vision) = (&manifest.text, &manifest.vision);
        let table_shape = [text.vocab_size, text.d_model];
        let tokens = TokenTable::load(pack, EMBEDDING, table_shape).await?;
        let lm_head = match manifest.heads.zero_shot.is_some() && !text.tie_word_embeddings {
            true => Some(TokenTable::load(pack, LM_HEAD, table_shape).await?),
            false => None,
        };
        let mut params = PackParams::new(pack, device.clone(), on_bytes);
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
        let passes = self.run(input)?;
        self.answer(&passes).await
    }

    /// Queues both passes on the device; one where the heads share it.
    pub(crate) fn run(&self, input: &ModelInput) -> Result<Passes, RunError> {
        self.check(input)?;
        let (visual, concepts) = self.run_pass(input, Pass::Concepts)?;
        let payment = match self.payment_pool.is_some() && self.network.has_adapter() {
            true => self.run_pass(input, Pass::Payment)?.1,
            false => concepts.clone(),
        };
        Ok(Passes {
            visual,
            concepts,
            payment,
        })
    }

    /// What the heads say of both passes' hidden states.
    pub(crate) async fn answer(&self, passes: &Passes) -> Result<ModelOutput, RunError> {
        let lengths = [passes.concepts.dims()[1]];
        let pool =
            |pool: &AttentionPooling, hidden: &Tensor<3>| pool.forward(hidden.clone(), &lengths);
        let concept = self
            .concept_pool
            .as_ref()
            .map(|query| pool(query, &passes.concepts));
        let payment = self
            .payment_pool
            .as_ref()
            .map(|query| pool(query, &passes.payment));
        let last = (self.zero_shot.is_some() && payment.is_none())
            .then(|| last_row(passes.payment.clone()));
        self.read_out(concept, payment, last).await
    }

    /// One readback of everything that the heads need, then the heads on the CPU.
    async fn read_out(
        &self,
        concept: Option<Pooled>,
        payment: Option<Pooled>,
        last: Option<Tensor<2>>,
    ) -> Result<ModelOutput, RunError> {
        let mut parts: Vec<Tensor<1>> = Vec::new();
        let mut sizes = Vec::new();
        for part in [
            concept.as_ref().map(|p| p.vector.clone()),
            payment.as_ref().map(|p| p.vector.clone()),
            last,
            payment.or(concept).map(|p| p.weights),
        ] {
            let part = part.map(|part| part.flatten::<1>(0, 1));
            sizes.push(part.as_ref().map_or(0, |part| part.dims()[0]));
            parts.extend(part);
        }
        let values = read(Tensor::cat(parts, 0), "pooled vectors").await?;
        let mut rest = values.as_slice();
        let mut take = |n: usize| {
            let (head, tail) = rest.split_at(n);
            rest = tail;
            head.to_vec()
        };
        let (concept, payment, last, pooling_weights) = (
            take(sizes[0]),
            take(sizes[1]),
            take(sizes[2]),
            take(sizes[3]),
        );
        let concept_logits = self.concept_logits(&concept).await?;
        let (pay_logits, digit_logits) = match &self.payment_head {
            Some(head) => (
                pair(&read(head.forward(row(&payment)), "payment logits").await?),
                None,
            ),
            None => self.zero_shot_logits(&last)?,
        };
        Ok(ModelOutput {
            concept_logits,
            pay_logits,
            digit_logits,
            pooling_weights,
        })
    }

    async fn concept_logits(
        &self,
        pooled: &[f32],
    ) -> Result<Option<[[f32; N_CLASSES]; 7]>, RunError> {
        let Some(head) = &self.concept_head else {
            return Ok(None);
        };
        let values = read(Tensor::cat(head.forward(row(pooled)), 0), "concept logits").await?;
        let mut logits = [[0.0; N_CLASSES]; 7];
        for (concept, values) in logits.iter_mut().zip(values.chunks_exact(N_CLASSES)) {
            concept.copy_from_slice(values);
        }
        Ok(Some(logits))
    }

    fn zero_shot_logits(&self, last: &[f32]) -> Result<([f32; 2], Option<[f32; 5]>), RunError> {
        let Some(answers) = &self.zero_shot else {
            return Err(RunError::Input {
                what: "heads of the pack",
                expected: "a payment head or the answer tokens of the zero-shot head".to_owned(),
                found: "neither".to_owned(),
            });
        };
        let table = self.answer_table();
        let pay = table.logits(last, &[answers.reject, answers.accept])?;
        let digits = table.logits(last, &answers.digits)?;
        let mut digit_logits = [0.0; 5];
        digit_logits.copy_from_slice(&digits);
        Ok((pair(&pay), Some(digit_logits)))
    }

    fn run_pass(&self, input: &ModelInput, pass: Pass) -> Result<(Tensor<2>, Tensor<3>), RunError> {
        let n_patches = input.patches.len() / self.d_patch;
        let patches = TensorData::new(input.patches.clone(), [n_patches, self.d_patch]);
        let visual = self
            .network
            .see(Tensor::from_data(patches, &self.device), &input.grids, pass);
        let text_ids = input
            .ids
            .iter()
            .copied()
            .filter(|&id| id != self.image_token);
        let rows = self.tokens.rows(text_ids)?;
        let [_, d_model] = visual.tokens.dims();
        let rows = Tensor::from_data(
            TensorData::new(rows.clone(), [rows.len() / d_model, d_model]),
            &self.device,
        );
        let layout = SequenceLayout::new(
            std::slice::from_ref(&input.ids),
            std::slice::from_ref(&input.positions),
            vec![input.ids.len()],
            self.image_token,
        );
        let hidden = self.network.read(rows, &visual, &layout, pass);
        Ok((visual.tokens, hidden))
    }

    fn check(&self, input: &ModelInput) -> Result<(), RunError> {
        let merge = self.merge as u64;
        let n_patches: u64 = input
            .grids
            .iter()
            .map(|g| g.iter().map(|&n| u64::from(n)).product::<u64>())
            .sum();
        let n_pads = input
            .ids
            .iter()
            .filter(|&&id| id == self.image_token)
            .count() as u64;
        let aligned = input
            .grids
            .iter()
            .all(|g| u64::from(g[1]) % merge == 0 && u64::from(g[2]) % merge == 0);
        let rules = [
            (
                "positions",
                input.ids.len() as u64,
                input.positions.len() as u64,
            ),
            (
                "values of patches",
                n_patches * self.d_patch as u64,
                input.patches.len() as u64,
            ),
            ("image pads", n_patches / (merge * merge), n_pads),
            (
                "grids in whole merge blocks (1 = yes)",
                1,
                u64::from(aligned && n_patches > 0),
            ),
            (
                "text tokens above 0 (1 = yes)",
                1,
                u64::from(input.ids.len() as u64 > n_pads),
            ),
        ];
        match rules
            .into_iter()
            .find(|(_, expected, found)| expected != found)
        {
            None => Ok(()),
            Some((what, expected, found)) => Err(RunError::Input {
                what,
                expected: expected.to_string(),
                found: found.to_string(),
            }),
        }
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
