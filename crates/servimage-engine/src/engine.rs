//! A loaded pack on a device, proven by its self-test.

use crate::device::OpenDevice;
use crate::error::EngineError;
use crate::self_test::{include, max_errors, prefix_difference, vectors_of};
use servimage_bench::message::{LoadPhase, SelfTestReport};
use servimage_model::{ServImageModel, head_rows};
use servimage_pack::{Manifest, Pack, PackSource};
use servimage_prompt::{PromptBuilder, Tokenizer};

/// Hears how far loading is: the phase, bytes done, bytes in all (0 of 0 in phases without a size).
pub type LoadProgress<'a> = dyn FnMut(LoadPhase, u64, u64) + 'a;

/// A loaded pack. Build with [`Engine::load`].
#[derive(Debug)]
pub struct Engine<S> {
    pack: Pack<S>,
    model: ServImageModel,
    prompt_builder: PromptBuilder,
    device: OpenDevice,
    self_test: SelfTestReport,
}

impl<S: PackSource> Engine<S> {
    /// Loads the pack behind `source` onto `device` and runs its self-test there.
    ///
    /// # Errors
    /// [`EngineError`] where the pack is damaged or does not fit together, and [`EngineError::SelfTest`] where
    /// the device does not reproduce the pack's vectors: such an engine never exists, so it never scores.
    pub async fn load(
        source: S,
        device: OpenDevice,
        on_progress: &mut LoadProgress<'_>,
    ) -> Result<Self, EngineError> {
        let engine = Self::load_unproven(source, device, on_progress).await?;
        match engine.self_test.passed {
            true => Ok(engine),
            false => Err(engine.self_test_error()),
        }
    }

    /// [`Engine::load`] without the verdict of the self-test: to print a report of a device that fails it.
    ///
    /// # Errors
    /// As [`Engine::load`], but for [`EngineError::SelfTest`].
    pub async fn load_unproven(
        source: S,
        device: OpenDevice,
        on_progress: &mut LoadProgress<'_>,
    ) -> Result<Self, EngineError> {
        on_progress(LoadPhase::Weights, 0, 0);
        let pack = Pack::open(source).await?;
        let total_bytes: u64 = pack
            .manifest()
            .shards
            .iter()
            .map(|shard| shard.size_bytes)
            .sum();
        on_progress(LoadPhase::Weights, 0, total_bytes);
        let tokenizer = Tokenizer::from_json(&pack.tokenizer_json().await?)?;
        let prompt_builder = PromptBuilder::new(tokenizer, pack.manifest())?;
        let mut done_bytes = 0;
        let mut on_bytes = |bytes| {
            done_bytes += bytes;
            on_progress(LoadPhase::Weights, done_bytes.min(total_bytes), total_bytes);
        };
        let storage = device.activations;
        let model =
            ServImageModel::load_storing(&pack, &device.device, storage, &mut on_bytes).await?;
        on_progress(LoadPhase::Weights, total_bytes, total_bytes);
        let self_test = SelfTestReport {
            passed: false,
            tolerance: 0.0,
            rows: Vec::new(),
        };
        let mut engine = Self {
            pack,
            model,
            prompt_builder,
            device,
            self_test,
        };
        engine.self_test = engine.run_self_test(on_progress).await?;
        Ok(engine)
    }

    async fn run_self_test(
        &self,
        on_progress: &mut LoadProgress<'_>,
    ) -> Result<SelfTestReport, EngineError> {
        let Some(mut vectors) = vectors_of(&self.pack).await? else {
            return Ok(SelfTestReport {
                passed: true,
                tolerance: 0.0,
                rows: Vec::new(),
            });
        };
        vectors.tolerance += self.device.rounding();
        // The first runs also compile every kernel that scoring needs: sizes are no part of a kernel.
        on_progress(LoadPhase::Compile, 0, 0);
        let trace = self.model.trace(&vectors.input).await?;
        on_progress(LoadPhase::SelfTest, 0, 0);
        let mut report = max_errors(&vectors, &trace)?;
        let behind_prefix = self.model.evaluate(&vectors.input).await?;
        include(&mut report, &vectors, &head_rows(&behind_prefix));
        Ok(report)
    }

    /// The largest relative difference between the heads' outputs with and without the prefix cache, on the pack's vectors;
    /// absent where it carries none.
    ///
    /// # Errors
    /// [`EngineError`] where the vectors cannot be read or the device fails.
    pub async fn prefix_difference(&self) -> Result<Option<f64>, EngineError> {
        match vectors_of(&self.pack).await? {
            Some(vectors) => {
                let difference = prefix_difference(&self.model, &vectors.input).await?;
                Ok(Some(difference))
            }
            None => Ok(None),
        }
    }

    fn self_test_error(&self) -> EngineError {
        let worst = self
            .self_test
            .rows
            .iter()
            .max_by(|a, b| a.max_relative_error.total_cmp(&b.max_relative_error));
        EngineError::SelfTest {
            device: self.device.name.clone(),
            tensor: worst.map_or_else(String::new, |row| row.tensor.clone()),
            found: worst.map_or(f64::NAN, |row| row.max_relative_error),
            tolerance: self.self_test.tolerance,
        }
    }

    /// Result of the self-test on this device; without rows where the pack carries no vectors.
    pub fn self_test(&self) -> &SelfTestReport {
        &self.self_test
    }

    /// The pack's manifest.
    pub fn manifest(&self) -> &Manifest {
        self.pack.manifest()
    }

    /// The pack's model card, Markdown; absent where it carries none or the file does not come: a card is no reason not to judge.
    pub async fn card(&self) -> Option<String> {
        match self.pack.card().await {
            Ok(card) => card,
            Err(error) => {
                log::warn!("the model card was not read: {error}");
                None
            }
        }
    }

    /// SHA-256 of the manifest, which covers every shard's hash.
    pub fn pack_sha256(&self) -> &str {
        self.pack.sha256()
    }

    /// Size of the pack in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.pack.size_bytes()
    }

    /// Number of weights, without the self-test's vectors.
    pub fn n_parameters(&self) -> u64 {
        let weights = self
            .manifest()
            .tensors
            .iter()
            .filter(|entry| !entry.name.starts_with("self_test."));
        weights
            .map(|entry| entry.shape.iter().product::<usize>() as u64)
            .sum()
    }

    /// Name of the device for people and provenance.
    pub fn device_name(&self) -> &str {
        &self.device.name
    }

    /// The device.
    pub fn device(&self) -> &OpenDevice {
        &self.device
    }

    /// The loaded network with its heads.
    pub fn model(&self) -> &ServImageModel {
        &self.model
    }

    pub(crate) fn prompt_builder(&self) -> &PromptBuilder {
        &self.prompt_builder
    }
}
