//! The training loop: resumable, seeded, with its curve in files.
//!
//! A run is a folder: `weights.safetensors`, `average.safetensors` and `moments.safetensors` after `state.json`'s step,
//! `curve.csv`, `curve.svg`, `tokenizer.json`.

mod start;

use crate::about::TrainingFacts;
use crate::batch::Sampler;
use crate::curve::Curve;
use crate::error::TrainError;
use crate::export::is_packed;
use crate::gradient::{Found, Point};
use crate::grid::{Grid, pull_strength};
use crate::nano::NanoConfig;
use crate::optimizer::{AdamW, average, learning_rate};
use crate::payment_head::{HeadWork, train_payment_head};
use crate::producers::produce;
use crate::schedule::Schedule;
use crate::weights::{Weights, write_whole};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use servimage_pack::Layout;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

/// Steps between two saves.
const SAVE_EVERY: u64 = 100;

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    step: u64,
    schedule: Option<Schedule>,
    /// Seconds of training so far.
    #[serde(default)]
    seconds: f32,
    /// What the run did from whose weights it goes on.
    #[serde(default)]
    from: Option<Box<TrainingFacts>>,
    /// Whether the heads have been started on pooled vectors.
    #[serde(default)]
    heads_started: bool,
    /// Whether the average of the plain weights has taken their place.
    #[serde(default)]
    averaged: bool,
    /// Whether nothing is left to do.
    #[serde(default)]
    finished: bool,
}

/// A run and its state.
pub struct Run {
    folder: PathBuf,
    schedule: Schedule,
    config: NanoConfig,
    device: Device,
    /// Weights after [`Run::step`] steps.
    pub weights: Weights,
    /// Running average of the plain weights.
    average: Weights,
    optimizer: AdamW,
    /// Rounded values of the weights of the next step.
    grid: Grid,
    state: State,
    curve: Curve,
}

/// Figures of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepReport {
    /// [`crate::trainee::Losses::parts`]; only the first where only the vision tower learns.
    pub parts: [f32; 7],
    /// Norm of the gradient.
    pub norm: f32,
    /// Root mean square distance of the weights from their rounded values, as a share of their own; 0 for plain weights.
    pub off_grid: f32,
    /// Share of the run that is done.
    pub done: f32,
    /// How far the payment head is by itself, once all steps are done.
    pub payment_head: Option<HeadWork>,
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
            config: config.with_vision_layers(schedule.vision_layers),
            device: device.clone().autodiff(),
            weights: Weights::default(),
            average: Weights::default(),
            optimizer: AdamW {
                weight_decay: 0.05,
                moments: Weights::default(),
            },
            grid: Grid::default(),
            state: State::default(),
            curve: Curve::default(),
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
            run.state = state;
            run.weights = Weights::read(&folder.join("weights.safetensors"))?;
            run.average = Weights::read(&folder.join("average.safetensors"))?;
            run.optimizer.moments = Weights::read(&folder.join("moments.safetensors"))?;
            run.curve = Curve::read(&folder.join("curve.csv"));
        }
        Ok(run)
    }

    /// Steps done.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.state.step
    }

    /// Share of the run that is done.
    fn done(&self) -> f32 {
        self.schedule.done(self.state.step, self.state.seconds)
    }

    /// Runs to `until` (at most the schedule's end), saving now and then and at the end.
    ///
    /// Steps of several parts work each out on a thread of its own; else `n_threads` others make batches. The minutes count
    /// from `clock`.
    ///
    /// # Errors
    /// [`TrainError`] from data, network or files.
    pub fn train(
        &mut self,
        sampler: &Sampler,
        until: u64,
        n_threads: usize,
        clock: Instant,
        mut on_step: impl FnMut(u64, StepReport) + Send,
    ) -> Result<(), TrainError> {
        if self.state.finished {
            return Ok(());
        }
        if self.state.step == 0 && self.state.from.is_none() {
            self.start_filters(sampler)?;
        }
        self.complete()?;
        let (schedule, before) = (self.schedule, self.state.seconds);
        let steps = self.state.step..until.min(schedule.n_steps);
        let mut finish_step = |run: &mut Self, found: Found| -> Result<bool, TrainError> {
            let report = run.take_step(found)?;
            run.state.seconds = before + clock.elapsed().as_secs_f32();
            on_step(run.state.step, report);
            if run.state.step.is_multiple_of(SAVE_EVERY) {
                run.save()?;
            }
            Ok(run.done() < 1.0)
        };
        if schedule.n_parts > 1 {
            let n_parts = schedule.n_parts as u64;
            for step in steps {
                let plan = schedule.plan(step, self.done());
                self.prepare(sampler, plan.vision_only)?;
                let number = schedule.data_step(step) * n_parts;
                let found =
                    self.point()
                        .differentiate_parts(sampler, &plan, number..number + n_parts)?;
                if !finish_step(self, found)? {
                    break;
                }
            }
        } else {
            produce(sampler, &schedule, steps, before, n_threads, |batch| {
                self.prepare(sampler, batch.vision_only)?;
                let found = self.point().differentiate(&batch)?;
                finish_step(self, found)
            })?;
        }
        if self.done() >= 1.0 {
            self.finish(sampler, &mut on_step)?;
            self.state.seconds = before + clock.elapsed().as_secs_f32();
        }
        self.save()
    }

    /// The last touch: weights onto the grid of the pack, or the average in their place; then the payment head by itself.
    fn finish(
        &mut self,
        sampler: &Sampler,
        on_step: &mut (impl FnMut(u64, StepReport) + Send),
    ) -> Result<(), TrainError> {
        let quant = self.schedule.quant;
        if quant == Layout::F32 || self.schedule.quant_share <= 0.0 {
            self.take_average();
        } else {
            Grid::of(&self.weights, &self.config, quant)?.pull(&mut self.weights, 1.0);
        }
        if self.schedule.head_examples > 0 {
            let (step, on_step) = (self.state.step, Mutex::new(on_step));
            let on_work = |work| {
                let report = StepReport {
                    done: 1.0,
                    payment_head: Some(work),
                    ..StepReport::default()
                };
                if let Ok(mut on_step) = on_step.lock() {
                    on_step(step, report);
                }
            };
            train_payment_head(
                &mut self.weights,
                &self.config,
                &self.schedule,
                sampler,
                &self.device.clone().without_autodiff(),
                &on_work,
            )?;
        }
        self.state.finished = true;
        Ok(())
    }

    fn take_average(&mut self) {
        if !self.state.averaged && !self.average.tensors.is_empty() {
            self.weights
                .tensors
                .extend(std::mem::take(&mut self.average.tensors));
        }
        self.state.averaged = true;
    }

    /// Draws weights that are missing.
    fn complete(&mut self) -> Result<(), TrainError> {
        let (_, drawn) = self.unrounded(&Device::flex())?;
        self.weights.tensors.extend(drawn.tensors);
        Ok(())
    }

    /// What the next step needs: heads that have been started, and the grid of its weights.
    fn prepare(&mut self, sampler: &Sampler, vision_only: bool) -> Result<(), TrainError> {
        if !vision_only && !self.state.heads_started {
            self.start_heads(sampler)?;
        }
        let quantized = self.quantized();
        if quantized.is_some() && !self.state.averaged {
            self.take_average();
        }
        self.grid = match quantized {
            Some(_) => Grid::of(&self.weights, &self.config, self.schedule.quant)?,
            None => Grid::default(),
        };
        Ok(())
    }

    /// How far the part on rounded weights is when the next step is done.
    fn quantized(&self) -> Option<f32> {
        self.schedule
            .quantized(self.schedule.done(self.state.step + 1, self.state.seconds))
    }

    fn point(&self) -> Point<'_> {
        Point {
            weights: &self.weights,
            rounded: &self.grid.rounded,
            config: &self.config,
            device: &self.device,
        }
    }

    fn take_step(&mut self, mut found: Found) -> Result<StepReport, TrainError> {
        let done = self.schedule.done(self.state.step + 1, self.state.seconds);
        let quantized = self.quantized();
        let rate = learning_rate(self.schedule.of_all(done), self.schedule.peak_rate);
        if self.schedule.is_alone(done) {
            found.gradients.retain(|name, _| !is_packed(name));
        }
        let norm = self
            .optimizer
            .step(&mut self.weights, &found.gradients, self.state.step, rate);
        self.grid
            .pull(&mut self.weights, quantized.map_or(0.0, pull_strength));
        let off_grid = self.grid.distance(&self.weights);
        if quantized.is_none() {
            average(&mut self.average, &self.weights, self.state.step);
        }
        self.state.step += 1;
        let report = StepReport {
            parts: found.parts,
            norm,
            off_grid,
            done,
            payment_head: None,
        };
        self.curve.push(self.state.step, rate, &report);
        match report.parts.iter().sum::<f32>().is_finite() {
            true => Ok(report),
            false => Err(TrainError::Diverged {
                step: self.state.step,
            }),
        }
    }

    /// Writes weights, moments, curve and, last, the step.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn save(&self) -> Result<(), TrainError> {
        self.weights
            .write(&self.folder.join("weights.safetensors"))?;
        self.average
            .write(&self.folder.join("average.safetensors"))?;
        self.optimizer
            .moments
            .write(&self.folder.join("moments.safetensors"))?;
        write_whole(&self.folder.join("curve.csv"), self.curve.csv().as_bytes())?;
        write_whole(&self.folder.join("curve.svg"), self.curve.svg().as_bytes())?;
        let state = State {
            schedule: Some(self.schedule),
            ..self.state.clone()
        };
        let path = self.folder.join("state.json");
        let json = serde_json::to_vec_pretty(&state).map_err(|source| TrainError::Json {
            path: path.clone(),
            source,
        })?;
        write_whole(&path, &json)
    }
}
