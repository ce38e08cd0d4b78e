//! candle as a peer of run.py: the usual loop over shuffled rows.
//!
//!     peer FOLDER W1|W2|W3|W4|I1|S1

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::optim::{Optimizer, ParamsAdamW};
use candle_nn::{loss, ops, AdamW};
use std::io::{BufRead, Write};
use std::time::Instant;

struct Work {
    rows: usize,
    batch: usize,
    epochs: usize,
    adam: bool,
    softmax: bool,
    widths: Vec<usize>,
    x: Tensor,
    y: Tensor,
    weights: Vec<Tensor>,
}

fn zeros(device: &Device) -> Result<Work> {
    let widths = vec![39, 5, 5, 2];
    let mut weights = vec![];
    for pair in widths.windows(2) {
        weights.push(Tensor::zeros((pair[0], pair[1]), DType::F32, device)?);
        weights.push(Tensor::zeros(pair[1], DType::F32, device)?);
    }
    Ok(Work {
        rows: 32,
        batch: 32,
        epochs: 1,
        adam: true,
        softmax: true,
        widths,
        x: Tensor::zeros((32, 39), DType::F32, device)?,
        y: Tensor::zeros(32, DType::U32, device)?,
        weights,
    })
}

fn load(folder: &str, name: &str) -> Result<Work> {
    let stem = format!("{folder}/{name}");
    let text = std::fs::read_to_string(format!("{stem}.spec"))?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |i: usize| words[i].parse::<usize>().expect("a number");
    let array = |what: &str| Tensor::read_npy(format!("{stem}-{what}.npy"));
    let widths: Vec<usize> = (5..words.len()).map(number).collect();
    let mut weights = vec![];
    for i in 1..widths.len() {
        weights.push(array(&format!("w{i}"))?);
        weights.push(array(&format!("b{i}"))?);
    }
    let softmax = words[4] == "softmax";
    let y = array("y")?;
    Ok(Work {
        rows: number(0),
        batch: number(1),
        epochs: number(2),
        adam: words[3] == "adam",
        softmax,
        x: array("x")?,
        y: if softmax { y.argmax(1)? } else { y },
        widths,
        weights,
    })
}

/// AdamW without decay is Adam; momentum is written out, as candle's SGD has none.
enum Rule {
    Adam(AdamW),
    Momentum(Vec<Tensor>),
}

struct Model {
    vars: Vec<Var>,
    rule: Rule,
    seed: u64,
}

impl Model {
    fn new(work: &Work) -> Result<Model> {
        let vars: Vec<Var> = work.weights.iter().map(Var::from_tensor).collect::<Result<_>>()?;
        let rule = if work.adam {
            let params =
                ParamsAdamW { lr: 1e-3, eps: 1e-7, weight_decay: 0.0, ..Default::default() };
            Rule::Adam(AdamW::new(vars.clone(), params)?)
        } else {
            Rule::Momentum(vars.iter().map(|v| v.zeros_like()).collect::<Result<_>>()?)
        };
        Ok(Model { vars, rule, seed: 1 })
    }

    fn logits(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = x.clone();
        let layers = self.vars.len() / 2;
        for i in 0..layers {
            x = x.matmul(&self.vars[2 * i])?.broadcast_add(&self.vars[2 * i + 1])?;
            if i + 1 < layers {
                x = x.relu()?;
            }
        }
        Ok(x)
    }

    fn apply(&mut self, loss: &Tensor) -> Result<()> {
        match &mut self.rule {
            Rule::Adam(adam) => adam.backward_step(loss),
            Rule::Momentum(slots) => {
                let grads = loss.backward()?;
                for (var, slot) in self.vars.iter().zip(slots.iter_mut()) {
                    let g = grads.get(var).expect("a gradient");
                    *slot = ((&*slot * 0.9)? - (g * 0.01)?)?;
                    var.set(&(var.as_tensor() + &*slot)?)?;
                }
                Ok(())
            }
        }
    }

    fn shuffled(&mut self, n: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n as u32).collect();
        for i in (1..n).rev() {
            let next = self.seed.wrapping_mul(6364136223846793005);
            self.seed = next.wrapping_add(1442695040888963407);
            order.swap(i, (self.seed >> 33) as usize % (i + 1));
        }
        order
    }

    fn epoch(&mut self, work: &Work) -> Result<(f32, f32)> {
        let order = self.shuffled(work.rows);
        let (mut sum, mut right) = (0f32, 0f32);
        for rows in order.chunks(work.batch) {
            let index = Tensor::new(rows, &Device::Cpu)?;
            let (x, y) = (work.x.index_select(&index, 0)?, work.y.index_select(&index, 0)?);
            let z = self.logits(&x)?;
            let loss = if work.softmax { loss::cross_entropy(&z, &y)? } else { loss::mse(&z, &y)? };
            if work.softmax {
                let hits = z.argmax(1)?.eq(&y)?.to_dtype(DType::F32)?.sum_all()?;
                right += hits.to_scalar::<f32>()?;
            }
            self.apply(&loss)?;
            sum += loss.to_scalar::<f32>()? * rows.len() as f32;
        }
        Ok((sum / work.rows as f32, right / work.rows as f32))
    }
}

fn median(mut t: Vec<f64>) -> f64 {
    t.sort_by(f64::total_cmp);
    t[t.len() / 2]
}

fn training_round(work: &Work) -> Result<()> {
    let (mut times, start) = (vec![], Instant::now());
    let mut result = (0f32, 0f32);
    while times.is_empty() || start.elapsed().as_secs_f64() < 0.2 {
        let mut model = Model::new(work)?;
        let t = Instant::now();
        for _ in 0..work.epochs {
            result = model.epoch(work)?;
        }
        times.push(t.elapsed().as_secs_f64());
    }
    let accuracy = if work.softmax { format!(",\"accuracy\":{}", result.1) } else { String::new() };
    println!("{{\"seconds\":{:.9},\"loss\":{}{accuracy}}}", median(times), result.0);
    Ok(())
}

fn inference_round(work: &Work) -> Result<()> {
    let model = Model::new(work)?;
    let many_rows = work.rows.min(1024);
    let (one, many) = (work.x.narrow(0, 0, 1)?, work.x.narrow(0, 0, many_rows)?);
    let time = |x: &Tensor, n: usize| -> Result<Vec<f64>> {
        let mut times = vec![];
        for _ in 0..n {
            let t = Instant::now();
            ops::softmax(&model.logits(x)?, 1)?.to_vec2::<f32>()?;
            times.push(t.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        Ok(times)
    };
    let (t, m) = (time(&one, 1000)?, time(&many, 20)?);
    let rate = many_rows as f64 / m[10];
    println!("{{\"p50\":{:.9},\"p99\":{:.9},\"rows_a_second\":{rate:.1}}}", t[500], t[990]);
    Ok(())
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let (folder, name) = (&args[1], args[2].as_str());
    if name == "S1" {
        let work = zeros(&Device::Cpu)?;
        Model::new(&work)?.epoch(&work)?;
        println!("{{\"step\":true}}");
        std::io::stdin().lock().read_line(&mut String::new())?;
        return Ok(());
    }
    let work = load(folder, if name == "I1" { "W2" } else { name })?;
    assert!(work.widths.len() > 1);
    println!("{{\"ready\":true,\"version\":\"0.9\",\"mode\":\"eager\"}}");
    for line in std::io::stdin().lock().lines() {
        if line?.trim() == "quit" {
            break;
        }
        if name == "I1" { inference_round(&work)? } else { training_round(&work)? }
        std::io::stdout().flush()?;
    }
    Ok(())
}
