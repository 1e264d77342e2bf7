//! Dimensions of the made-up networks, and the tensors that a checkpoint of these dimensions holds.

use super::MadeUpSize;

/// Dimensions, named as in the checkpoint's `config.json` where they are in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dims {
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub n_layers: usize,
    pub n_heads: usize,
    pub n_kv_heads: usize,
    pub head_dim: usize,
    pub intermediate_size: usize,
    pub mrope_section: [usize; 3],
    pub vision: VisionDims,
    /// Id of `<|endoftext|>`; the other added tokens follow in the order of [`super::tokenizer`].
    pub first_added_id: u32,
    /// Bytes of weights in one file.
    pub shard_bytes: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct VisionDims {
    pub hidden_size: usize,
    pub depth: usize,
    pub num_heads: usize,
    pub intermediate_size: usize,
    pub num_position_embeddings: usize,
    pub deepstack_visual_indexes: &'static [usize],
}

/// Of one side, in pixels; all sizes have it.
pub(super) const PATCH_SIZE: usize = 16;

/// Frames of a patch and patches of a merged token's side.
pub(super) const TEMPORAL_PATCH_SIZE: usize = 2;
pub(super) const SPATIAL_MERGE_SIZE: usize = 2;

const QWEN_VISION: VisionDims = VisionDims {
    hidden_size: 1024,
    depth: 24,
    num_heads: 16,
    intermediate_size: 4096,
    num_position_embeddings: 48 * 48,
    deepstack_visual_indexes: &[5, 11, 17],
};

const QWEN_2B: Dims = Dims {
    vocab_size: 151_936,
    hidden_size: 2048,
    n_layers: 28,
    n_heads: 16,
    n_kv_heads: 8,
    head_dim: 128,
    intermediate_size: 6144,
    mrope_section: [24, 20, 20],
    vision: QWEN_VISION,
    first_added_id: 151_643,
    shard_bytes: 2 << 30,
};

/// The 2B's widths and vocabulary, so its largest tensors, with two layers a tower.
const QWEN_2B_SHALLOW: Dims = Dims {
    n_layers: 2,
    vision: VisionDims {
        depth: 2,
        deepstack_visual_indexes: &[0],
        ..QWEN_VISION
    },
    ..QWEN_2B
};

const QWEN_4B: Dims = Dims {
    hidden_size: 2560,
    n_layers: 36,
    n_heads: 32,
    intermediate_size: 9728,
    ..QWEN_2B
};

const NANO: Dims = Dims {
    vocab_size: 1024,
    hidden_size: 128,
    n_layers: 3,
    n_heads: 4,
    n_kv_heads: 2,
    head_dim: 32,
    intermediate_size: 256,
    mrope_section: [6, 5, 5],
    vision: VisionDims {
        hidden_size: 96,
        depth: 4,
        num_heads: 4,
        intermediate_size: 288,
        num_position_embeddings: 8 * 8,
        deepstack_visual_indexes: &[1],
    },
    first_added_id: 990,
    shard_bytes: 1 << 20,
};

/// What a tensor's values are spread around, and how far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub mean: f32,
    pub std: f32,
}

/// A tensor of the checkpoint.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub spread: Spread,
}

impl Dims {
    pub fn of(size: MadeUpSize) -> Self {
        match size {
            MadeUpSize::Nano => NANO,
            MadeUpSize::Qwen2b => QWEN_2B,
            MadeUpSize::Qwen2bShallow => QWEN_2B_SHALLOW,
            MadeUpSize::Qwen4b => QWEN_4B,
        }
    }

    /// Every tensor, with spreads under which activations neither grow nor vanish.
    pub fn tensors(&self) -> Vec<Tensor> {
        let mut list = List::default();
        self.vision_tensors(&mut list);
        self.text_tensors(&mut list);
        list.0
    }

    fn vision_tensors(&self, list: &mut List) {
        let vision = &self.vision;
        let (d, root) = (vision.hidden_size, "model.visual");
        let patch = [3, TEMPORAL_PATCH_SIZE, PATCH_SIZE, PATCH_SIZE];
        list.weight(
            &format!("{root}.patch_embed.proj"),
            &[&[d], patch.as_slice()].concat(),
        );
        list.bias(&format!("{root}.patch_embed.proj"), d);
        list.weight(
            &format!("{root}.pos_embed"),
            &[vision.num_position_embeddings, d],
        );
        for layer in 0..vision.depth {
            let block = format!("{root}.blocks.{layer}");
            list.layer_norm(&format!("{block}.norm1"), d);
            list.layer_norm(&format!("{block}.norm2"), d);
            list.linear(&format!("{block}.attn.qkv"), 3 * d, d);
            list.linear(&format!("{block}.attn.proj"), d, d);
            list.linear(
                &format!("{block}.mlp.linear_fc1"),
                vision.intermediate_size,
                d,
            );
            list.linear(
                &format!("{block}.mlp.linear_fc2"),
                d,
                vision.intermediate_size,
            );
        }
        let d_merged = d * SPATIAL_MERGE_SIZE * SPATIAL_MERGE_SIZE;
        let taps = 0..vision.deepstack_visual_indexes.len();
        let taps = taps.map(|tap| (format!("{root}.deepstack_merger_list.{tap}"), d_merged));
        for (merger, d_norm) in taps.chain([(format!("{root}.merger"), d)]) {
            list.layer_norm(&format!("{merger}.norm"), d_norm);
            list.linear(&format!("{merger}.linear_fc1"), d_merged, d_merged);
            list.linear(&format!("{merger}.linear_fc2"), self.hidden_size, d_merged);
        }
    }

    fn text_tensors(&self, list: &mut List) {
        let (d, root) = (self.hidden_size, "model.language_model");
        let (d_q, d_kv) = (
            self.n_heads * self.head_dim,
            self.n_kv_heads * self.head_dim,
        );
        list.weight(&format!("{root}.embed_tokens"), &[self.vocab_size, d]);
        for layer in 0..self.n_layers {
            let layer = format!("{root}.layers.{layer}");
            list.norm(&format!("{layer}.input_layernorm"), d);
            list.norm(&format!("{layer}.post_attention_layernorm"), d);
            list.norm(&format!("{layer}.self_attn.q_norm"), self.head_dim);
            list.norm(&format!("{layer}.self_attn.k_norm"), self.head_dim);
            for (name, d_out, d_in) in [
                ("self_attn.q_proj", d_q, d),
                ("self_attn.k_proj", d_kv, d),
                ("self_attn.v_proj", d_kv, d),
                ("self_attn.o_proj", d, d_q),
                ("mlp.gate_proj", self.intermediate_size, d),
                ("mlp.up_proj", self.intermediate_size, d),
                ("mlp.down_proj", d, self.intermediate_size),
            ] {
                list.weight(&format!("{layer}.{name}"), &[d_out, d_in]);
            }
        }
        list.norm(&format!("{root}.norm"), d);
    }
}

#[derive(Default)]
struct List(Vec<Tensor>);

impl List {
    fn push(&mut self, name: String, shape: &[usize], mean: f32, std: f32) {
        self.0.push(Tensor {
            name,
            shape: shape.to_vec(),
            spread: Spread { mean, std },
        });
    }

    /// `NAME.weight` with the variance 1 / inputs.
    fn weight(&mut self, name: &str, shape: &[usize]) {
        let d_in: usize = shape[1..].iter().product();
        self.push(
            format!("{name}.weight"),
            shape,
            0.0,
            (d_in as f32).sqrt().recip(),
        );
    }

    fn bias(&mut self, name: &str, size: usize) {
        self.push(format!("{name}.bias"), &[size], 0.0, 0.02);
    }

    fn linear(&mut self, name: &str, d_out: usize, d_in: usize) {
        self.weight(name, &[d_out, d_in]);
        self.bias(name, d_out);
    }

    fn norm(&mut self, name: &str, size: usize) {
        self.push(format!("{name}.weight"), &[size], 1.0, 0.1);
    }

    fn layer_norm(&mut self, name: &str, size: usize) {
        self.norm(name, size);
        self.bias(name, size);
    }
}
