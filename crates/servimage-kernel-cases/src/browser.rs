//! `globalThis.kernelCases`, all of whose functions give promises:
//! - `open(withDefaultLimits)`: opens the GPU and gives `{ cases, contestants }`, the names of what it can run;
//! - `run(index)`: runs a case and gives `{ error }` or `{ difference }`;
//! - `prepare(index, rows, dIn, dOut)`: makes a linear layer of a contestant ready;
//! - `contend()`: runs it once.

use burn::tensor::{DType, Device};
use js_sys::{Array, Object, Promise, Reflect};
use servimage_kernel_cases::{
    CONTESTANTS, Case, Contest, Contestant, cases_for, compare, open_with_default_limits,
};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen_futures::future_to_promise;

/// What lasts from one call to the next.
#[derive(Clone, Default)]
struct Session {
    /// The GPU, once it is open.
    gpu: Rc<RefCell<Option<Device>>>,
    contest: Rc<RefCell<Option<Rc<Contest>>>>,
}

/// Hands the functions to JavaScript.
pub(crate) fn start() {
    let session = Session::default();
    let here = session.clone();
    let open = Closure::<dyn Fn(bool) -> Promise>::new(move |with_default_limits: bool| {
        let session = here.clone();
        future_to_promise(async move { session.open(with_default_limits).await })
    });
    let here = session.clone();
    let run = Closure::<dyn Fn(u32) -> Promise>::new(move |index: u32| {
        let session = here.clone();
        future_to_promise(async move { session.run(index as usize).await })
    });
    let here = session.clone();
    let prepare = Closure::<dyn Fn(u32, u32, u32, u32) -> Promise>::new(
        move |index: u32, rows: u32, d_in: u32, d_out: u32| {
            let session = here.clone();
            let sizes = [rows, d_in, d_out].map(|n| n as usize);
            future_to_promise(async move { session.prepare(index as usize, sizes) })
        },
    );
    let contend = Closure::<dyn Fn() -> Promise>::new(move || {
        let session = session.clone();
        future_to_promise(async move { session.contend().await })
    });
    let functions = object(&[
        ("open", open.into_js_value()),
        ("run", run.into_js_value()),
        ("prepare", prepare.into_js_value()),
        ("contend", contend.into_js_value()),
    ]);
    set(&js_sys::global(), "kernelCases", &functions);
}

impl Session {
    async fn open(&self, with_default_limits: bool) -> Result<JsValue, JsValue> {
        let device = match with_default_limits {
            true => open_with_default_limits().await.map_err(|e| words(&e))?,
            false => {
                let device = Device::wgpu_options().init_async().await;
                device.map_err(|e| words(&e))?
            }
        };
        let cases: Array = cases_on(&device).map(|case| words(&case.name())).collect();
        let contestants: Array = contestants_on(&device).map(|c| words(&c)).collect();
        *self.gpu.borrow_mut() = Some(device);
        Ok(object(&[
            ("cases", cases.into()),
            ("contestants", contestants.into()),
        ]))
    }

    fn gpu(&self) -> Result<Device, JsValue> {
        let gpu = self.gpu.borrow().clone();
        gpu.ok_or_else(|| words(&"the GPU is not open: await open() first"))
    }

    /// Runs one case on the GPU and on the CPU.
    async fn run(&self, index: usize) -> Result<JsValue, JsValue> {
        let gpu = self.gpu()?;
        let case = cases_on(&gpu).nth(index);
        let case = case.ok_or_else(|| words(&format!("there is no case {index}")))?;
        let expected = case.run(&Device::flex()).await.map_err(|e| words(&e))?;
        let found = case.run(&gpu).await.map_err(|e| words(&e))?;
        let result = match compare(&found, &expected, case.tolerance()) {
            Ok(error) => ("error", JsValue::from_f64(error.into())),
            Err(difference) => ("difference", words(&difference)),
        };
        Ok(object(&[result]))
    }

    fn prepare(&self, index: usize, sizes: [usize; 3]) -> Result<JsValue, JsValue> {
        let gpu = self.gpu()?;
        let contestant = contestants_on(&gpu).nth(index);
        let contestant =
            contestant.ok_or_else(|| words(&format!("there is no contestant {index}")))?;
        let contest = Contest::new(contestant, sizes, &gpu).map_err(|e| words(&e))?;
        *self.contest.borrow_mut() = Some(Rc::new(contest));
        Ok(JsValue::UNDEFINED)
    }

    async fn contend(&self) -> Result<JsValue, JsValue> {
        let contest = self.contest.borrow().clone();
        let contest = contest.ok_or_else(|| words(&"nothing is prepared"))?;
        let values = contest.run().await.map_err(|e| words(&e))?;
        Ok(JsValue::from_f64(values.len() as f64))
    }
}

fn cases_on(gpu: &Device) -> impl Iterator<Item = Case> {
    cases_for(gpu.supports_dtype(DType::F16)).into_iter()
}

fn contestants_on(gpu: &Device) -> impl Iterator<Item = Contestant> {
    CONTESTANTS.into_iter().filter(|c| c.runs_on(gpu))
}

fn words(text: &impl std::fmt::Display) -> JsValue {
    JsValue::from_str(&text.to_string())
}

fn object(properties: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in properties {
        set(&object, name, value);
    }
    object.into()
}

fn set(object: &Object, name: &str, value: &JsValue) {
    let done = Reflect::set(object, &JsValue::from_str(name), value);
    done.expect("an ordinary object takes properties");
}
