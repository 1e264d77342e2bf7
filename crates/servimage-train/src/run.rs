//! The training loop: resumable, seeded, with its curve in a file.
//!
//! A run is a folder: `weights.safetensors` and `moments.safetensors` after `state.json`'s step, `curve.csv`, `tokenizer.json`.

use crate::batch::{Batch, BatchPlan, Sampler};
use crate::error::TrainError;
use crate::filters::start_filters;
use crate::grid::{Grid, pull_strength};
use crate::nano::NanoConfig;
use crate::optimizer::{AdamW, Gradients, learning_rate};
use crate::schedule::Schedule;
use crate::trainee::{Trainee, losses};
use crate::weights::{Rounded, Taken, Weights, write_whole};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    step: u64,
    /// Absent in runs of earlier builds.
    #[serde(default)]
    schedule: Option<Schedule>,
}

/// A run and its state.
pub struct Run {
    folder: PathBuf,
    schedule: Schedule,
    config: NanoConfig,
    device: Device,
    /// Weights after [`Run::step`] steps.
    pub weights: Weights,
    optimizer: AdamW,
    step: u64,
    curve: String,
}

/// Figures of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepReport {
    /// Squared error of the guessed severities.
    pub guess: f32,
    /// Cross-entropy of both concepts.
    pub concept: f32,
    /// Cross-entropy of the payment.
    pub pay: f32,
    /// Cross-entropy of the order within pairs.
    pub order: f32,
    /// Norm of the gradient.
    pub norm: f32,
    /// Root mean square distance of the weights from their rounded values, as a share of their own; 0 for plain weights.
    pub off_grid: f32,
}

impl Run {
    /// Opens a folder: goes on where its files say, or starts anew.
    ///
    /// # Errors
    /// [`TrainError`] where files are damaged or the folder's run has another schedule.
    pub fn open(
        folder: &Path,
        schedule: Schedule,
        config: NanoConfig,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let mut run = Self {
            folder: folder.to_path_buf(),
            schedule,
            config,
            device: device.clone().autodiff(),
            weights: Weights::default(),
            optimizer: AdamW {
                weight_decay: 0.05,
                moments: Weights::default(),
            },
            step: 0,
            curve: "step,learning_rate,guess,concept,pay,order,gradient_norm,off_grid\n".to_owned(),
        };
        let state_path = folder.join("state.json");
        if let Ok(text) = std::fs::read_to_string(&state_path) {
            let wrap = |source| TrainError::Json {
                path: state_path.clone(),
                source,
            };
            let state: State = serde_json::from_str(&text).map_err(wrap)?;
            if let Some(found) = state.schedule.filter(|found| *found != schedule) {
                return Err(TrainError::OtherSchedule {
                    path: state_path,
                    expected: format!("{schedule:?}"),
                    found: format!("{found:?}"),
                });
            }
            run.step = state.step;
            run.weights = Weights::read(&folder.join("weights.safetensors"))?;
            run.optimizer.moments = Weights::read(&folder.join("moments.safetensors"))?;
            run.curve = std::fs::read_to_string(folder.join("curve.csv")).unwrap_or(run.curve);
        }
        Ok(run)
    }

    /// Steps done.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Runs to `until` (at most the schedule's end), making batches on a second thread; saves every 100 steps and at the end.
    ///
    /// # Errors
    /// [`TrainError`] from data, network or files.
    pub fn train(
        &mut self,
        sampler: &Sampler,
        until: u64,
        mut on_step: impl FnMut(u64, StepReport),
    ) -> Result<(), TrainError> {
        if self.step == 0 {
            self.start_filters(sampler)?;
        }
        let (schedule, start) = (self.schedule, self.step);
        let until = until.min(schedule.n_steps);
        let (sender, receiver) = sync_channel::<Result<Batch, TrainError>>(2);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for step in start..until {
                    if sender
                        .send(sampler.batch(
                            schedule.data_step(step),
                            &schedule.plan(schedule.data_step(step)),
                        ))
                        .is_err()
                    {
                        return;
                    }
                }
            });
            for batch in receiver {
                let plan = schedule.plan(self.step);
                if !plan.vision_only && (self.step == 0 || schedule.plan(self.step - 1).vision_only)
                {
                    self.start_heads(sampler)?;
                }
                let report = self.learn(&batch?, plan.vision_only)?;
                on_step(self.step, report);
                if self.step.is_multiple_of(100) {
                    self.save()?;
                }
            }
            self.save()
        })
    }

    /// Puts waves of all frequencies into the patch embedding, scaled by how training pictures answer to them.
    fn start_filters(&mut self, sampler: &Sampler) -> Result<(), TrainError> {
        let plan = BatchPlan {
            n_pairs: self.schedule.n_pairs * 2,
            window: [128, 128],
            short_briefs: true,
            vision_only: true,
        };
        let batch = sampler.batch(u64::MAX / 3, &plan)?;
        start_filters(&mut self.weights, &self.config, &batch);
        Ok(())
    }

    /// Shifts and scales the first layer of each head so that it sees how pooled vectors differ, not what they share.
    ///
    /// Pooled vectors of a fresh network are nearly equal; without this the heads spend a thousand steps on that.
    fn start_heads(&mut self, sampler: &Sampler) -> Result<(), TrainError> {
        let plan = BatchPlan {
            n_pairs: self.schedule.n_pairs * 2,
            window: [128, 128],
            short_briefs: true,
            vision_only: false,
        };
        let batch = sampler.batch(u64::MAX / 2, &plan)?;
        let plain = self.device.clone().without_autodiff();
        let (trainee, _) = Trainee::build(
            &mut self.weights,
            &Rounded::new(),
            &self.config,
            self.schedule.seed,
            &plain,
        )?;
        let layers = ["stage1.shared_encoder.0", "stage2.fc1"];
        for (layer, pooled) in layers.iter().zip(trainee.pooled(&batch, &plain)) {
            let [n, d_model] = pooled.dims();
            let pooled: Vec<f32> = pooled.into_data().iter::<f32>().collect();
            centre(&mut self.weights, layer, &pooled, [n, d_model]);
        }
        Ok(())
    }

    fn learn(&mut self, batch: &Batch, vision_only: bool) -> Result<StepReport, TrainError> {
        let quantized = self.schedule.quantized(self.step);
        let grid = match quantized {
            Some(_) => Grid::of(&self.weights, &self.config, self.schedule.quant)?,
            None => Grid::default(),
        };
        let (trainee, taken) = Trainee::build(
            &mut self.weights,
            &grid.rounded,
            &self.config,
            self.schedule.seed,
            &self.device,
        )?;
        let mut report = StepReport::default();
        let total = if vision_only {
            let guess = trainee.vision_loss(batch, &self.device);
            report.guess = value(&guess);
            guess * 4.0
        } else {
            let answers = trainee.forward(batch, &self.device);
            let losses = losses(&answers, batch, &self.device);
            report.guess = value(&answers.guess);
            (report.concept, report.pay, report.order) = (
                value(&losses.concept),
                value(&losses.pay),
                value(&losses.order),
            );
            losses.concept + losses.pay + losses.order * 0.5 + answers.guess * 2.0
        };
        let mut found = GradientsParams::from_grads(total.backward(), &trainee);
        let gradients = by_name(&mut found, &taken);
        let rate = learning_rate(self.step, self.schedule.n_steps, self.schedule.peak_rate);
        report.norm = self
            .optimizer
            .step(&mut self.weights, &gradients, self.step, rate);
        grid.pull(&mut self.weights, quantized.map_or(0.0, pull_strength));
        report.off_grid = grid.distance(&self.weights);
        self.step += 1;
        let StepReport {
            guess,
            concept,
            pay,
            order,
            norm,
            off_grid,
        } = report;
        writeln!(
            self.curve,
            "{},{rate:.6},{guess:.4},{concept:.4},{pay:.4},{order:.4},{norm:.3},{off_grid:.5}",
            self.step
        )
        .expect("writing to a string cannot fail");
        match (guess + concept + pay + order).is_finite() {
            true => Ok(report),
            false => Err(TrainError::Diverged { step: self.step }),
        }
    }

    /// Writes weights, moments, curve and, last, the step.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn save(&self) -> Result<(), TrainError> {
        self.weights
            .write(&self.folder.join("weights.safetensors"))?;
        self.optimizer
            .moments
            .write(&self.folder.join("moments.safetensors"))?;
        write_whole(&self.folder.join("curve.csv"), self.curve.as_bytes())?;
        let state = State {
            step: self.step,
            schedule: Some(self.schedule),
        };
        let path = self.folder.join("state.json");
        let json = serde_json::to_vec_pretty(&state).map_err(|source| TrainError::Json {
            path: path.clone(),
            source,
        })?;
        write_whole(&path, &json)
    }
}

fn value(loss: &Tensor<1>) -> f32 {
    loss.clone()
        .into_data()
        .iter::<f32>()
        .next()
        .unwrap_or(f32::NAN)
}

/// Makes `LAYER` map the mean of `rows` (`[n, d_model]`) to 0 and their spread to about 1.
fn centre(weights: &mut Weights, layer: &str, rows: &[f32], [n, d_model]: [usize; 2]) {
    let mean: Vec<f32> = (0..d_model)
        .map(|i| rows.iter().skip(i).step_by(d_model).sum::<f32>() / n as f32)
        .collect();
    let square: f32 = rows
        .iter()
        .enumerate()
        .map(|(i, x)| (x - mean[i % d_model]).powi(2))
        .sum();
    let spread = (square / rows.len() as f32).sqrt().max(1e-6);
    let Some(weight) = weights.tensors.get_mut(&format!("{layer}.weight")) else {
        return;
    };
    weight.data.iter_mut().for_each(|w| *w /= spread);
    let shifted: Vec<f32> = weight
        .data
        .chunks_exact(d_model)
        .map(|row| -row.iter().zip(&mean).map(|(w, m)| w * m).sum::<f32>())
        .collect();
    if let Some(bias) = weights.tensors.get_mut(&format!("{layer}.bias")) {
        bias.data = shifted;
    }
}

/// Gradients by the checkpoint's names; parameters without one (heads of untrained concepts) are left out.
fn by_name(found: &mut GradientsParams, taken: &[Taken]) -> Gradients {
    let mut gradients = Gradients::new();
    for Taken { name, id, rank } in taken {
        let data = match rank {
            1 => found.remove::<1>(*id).map(|g| g.into_data()),
            2 => found.remove::<2>(*id).map(|g| g.into_data()),
            _ => found.remove::<3>(*id).map(|g| g.into_data()),
        };
        if let Some(data) = data {
            gradients.insert(name.clone(), data.iter::<f32>().collect());
        }
    }
    gradients
}
