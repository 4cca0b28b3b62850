//! The shape of a model, as far as memory and speed depend on it.

/// Layers with linear attention (gated `DeltaNet`): a constant state per sequence instead of a cache that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearAttention {
    /// How many layers.
    pub layers: u64,
    /// Key heads.
    pub key_heads: u64,
    /// Value heads.
    pub value_heads: u64,
    /// Numbers a key.
    pub key_dim: u64,
    /// Numbers a value.
    pub value_dim: u64,
    /// Width of the convolution before it.
    pub conv: u64,
}

/// Layers that see only the last tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlidingAttention {
    /// How many layers.
    pub layers: u64,
    /// Tokens they see.
    pub window: u64,
}

/// A mixture of experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Experts {
    /// Layers that have them; the others have one feed-forward network.
    pub layers: u64,
    /// Experts a layer.
    pub total: u64,
    /// Experts a token.
    pub active: u64,
    /// Width of one.
    pub width: u64,
    /// Width of the part that every token uses; 0: none.
    pub shared_width: u64,
}

/// A decoder's shape. Every number is checked: above 0 where it must be, and small enough that no product here overflows.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// `model_type` of the configuration.
    pub model_type: String,
    /// Numbers a token between layers.
    pub hidden: u64,
    /// Layers whose cache grows with the context.
    pub full_layers: u64,
    /// Layers with a window.
    pub sliding: Option<SlidingAttention>,
    /// Layers with a state.
    pub linear: Option<LinearAttention>,
    /// Query heads.
    pub query_heads: u64,
    /// Key and value heads: what the cache holds.
    pub kv_heads: u64,
    /// Numbers a head.
    pub head_dim: u64,
    /// Whether the attention's output is gated: the query projection is then twice as wide.
    pub gated_output: bool,
    /// Width of the feed-forward network of layers without experts.
    pub feed_forward: u64,
    /// The experts, if any.
    pub experts: Option<Experts>,
    /// Tokens of the vocabulary.
    pub vocabulary: u64,
    /// Whether the output layer is the embedding.
    pub tied: bool,
    /// The context that it was made for, tokens.
    pub native_context: Option<u64>,
    /// Bits a weight with its scales, when the configuration says how it is quantised: MLX affine is bits + 32 / group (a 16-bit scale and bias a group).
    pub bits_per_weight: Option<f64>,
}

/// Numbers of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// All of the text model.
    pub total: u64,
    /// Read for one token, the output layer included, the embedding's lookup not.
    pub active: u64,
    /// Of the active ones, what is not an expert: read once however many tokens share the step.
    pub dense: u64,
    /// One expert of one layer; 0 without experts.
    pub expert: u64,
}

impl Geometry {
    /// All layers.
    pub fn layers(&self) -> u64 {
        self.full_layers
            + self.sliding.map_or(0, |sliding| sliding.layers)
            + self.linear.map_or(0, |linear| linear.layers)
    }

    /// Matrices of a feed-forward network: gate, up and down. The encoders of BERT's family have no gate.
    fn feed_forward_matrices(&self) -> u64 {
        let has_gate =
            !["bert", "camembert", "distilbert", "roberta", "xlm-roberta"].contains(&self.model_type.as_str());
        if has_gate { 3 } else { 2 }
    }

    /// The parameters that follow from the shape; norms, biases, positions and convolutions are left out (below a fiftieth).
    ///
    /// Attention: query (twice as wide with a gated output), key, value, output. Linear attention: query, key and value, the gate, two numbers a head, output.
    /// Feed-forward: three matrices, two in an encoder. Checked against the published sizes of four models (facts/capacity.md 3.1 and 6).
    pub fn parameters(&self) -> Parameters {
        let heads = self.query_heads * self.head_dim;
        let query = if self.gated_output { 2 * heads } else { heads };
        let attention = self.hidden * (query + 2 * self.kv_heads * self.head_dim + heads);
        let linear = self.linear.map_or(0, |linear| {
            let (keys, values) = (linear.key_heads * linear.key_dim, linear.value_heads * linear.value_dim);
            linear.layers * self.hidden * (2 * keys + values + values + 2 * linear.value_heads + values)
        });
        let attending = self.full_layers + self.sliding.map_or(0, |sliding| sliding.layers);
        let embedding = self.vocabulary * self.hidden;
        let expert_layers = self.experts.map_or(0, |experts| experts.layers);
        let feed_forward =
            (self.layers() - expert_layers) * self.feed_forward_matrices() * self.hidden * self.feed_forward;
        let every_token = self.experts.map_or(0, |experts| {
            experts.layers * (3 * self.hidden * experts.shared_width + self.hidden * experts.total)
        });
        let expert = self.experts.map_or(0, |experts| 3 * self.hidden * experts.width);
        let dense = attending * attention + linear + feed_forward + every_token + embedding;
        let lookup = if self.tied { 0 } else { embedding };
        let of_experts = |count: fn(&Experts) -> u64| self.experts.map_or(0, |e| e.layers * count(&e) * expert);
        Parameters {
            total: dense + lookup + of_experts(|experts| experts.total),
            active: dense + of_experts(|experts| experts.active),
            dense,
            expert,
        }
    }
}
