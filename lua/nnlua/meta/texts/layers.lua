-- Texts of nn.layers for the reference; see tools/docs/reference.lua. N is the batch; convolution,
-- pooling and padding are in layers_2.lua.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

-- A layer on some input, printed.
local function call(code, input, printed)
  return ("print(nn.layers.%s(nn.tensor%s)) --> %s\n"):format(code, input, printed)
end

-- Of layers with random weights or random draws only the shape is fixed.
local function shape(code, input, printed)
  return ('print(table.concat(nn.layers.%s(nn.%s).shape, ", ")) --> %s'):format(code, input,
    printed)
end

local function merge(name, text, printed, errors)
  return {text, shapes = "A list of tensors that broadcast on all axes but the first.",
    errors = errors or "No list, fewer than two tensors, or shapes that do not broadcast.",
    example = ("print(nn.layers.%s{}{nn.tensor{{1, 4}}, nn.tensor{{3, 2}}}) --> %s\n"):format(name,
      printed)}
end

local function merged(name, class, text, printed)
  return {text .. " As a function.", shapes = "A list of tensors.", returns = "A tensor.",
    args = {options = ("Arguments of %s."):format(class)},
    example = ("print(nn.layers.%s{nn.tensor{{1, 4}}, nn.tensor{{3, 2}}}) --> %s\n"):format(name,
      printed)}
end

local lookup = {
  max_tokens = "Largest size of the vocabulary with its special tokens; nil: any.",
  num_oov_indices = "Indices for unknown tokens; several are chosen by hash.",
  mask_token = "The token that becomes index 0; nil: none.",
  oov_token = "What unknown tokens read as.",
  vocabulary = "The tokens as a list, or a text file with one a line; nil: by adapt.",
  idf_weights = "Weights of the tokens for tf_idf.", invert = "Indices to tokens.",
  output_mode = "\"int\", \"one_hot\", \"multi_hot\", \"count\" or \"tf_idf\".",
  pad_to_max_tokens = "Encode with max_tokens columns.",
}

return {
  intro = [[Layers are called on tensors (and then run) or on symbolic inputs (and then record).
Every layer takes name, trainable, dtype, activity_regularizer and, as the first of a model,
input_shape
(without the batch axis).]],
  source = "Keras 3.15.1, keras.layers.%s",
  shapes = "(N, ...) to the same shape.",
  returns = "A layer: layer(x) gives a tensor.",
  errors = "Arguments out of range when it is made; an unfit input shape when it is called.",
  arguments = {
    units = "Size of the output's last axis, above 0.",
    rate = "Share of elements that become 0, from "
      .. "0 to 1.", noise_shape = "Shape of the mask; false entries take the input's size.",
    stddev = "Standard deviation of the noise, 0 to 1.", alpha = "Size of the negative branch.",
    negative_slope = "Slope below the threshold, 0 or more.",
    max_value = "The ceiling; nil: none.", threshold = "Where the function changes its branch.",
    epsilon = "Added to the variance, above 0.", center = "Add a learned beta.",
    scale = "Multiply by a learned gamma.", momentum = "How much of the moving statistics stays.",
    lora_rank = "Not in nnlua: nil alone.", lora_alpha = "Not in nnlua: nil alone.",
    quantization_config = "Not in nnlua: nil alone.", gptq_unpacked_column_size = "Not in nnlua.",
    sparse = "Not in nnlua: false alone.", ragged = "Not in nnlua: false alone.",
    mask_zero = "Id 0 is padding, which later layers leave out.",
    mask_value = "The padding's value.",
    input_dim = "Number of ids.", output_dim = "Size of a vector.",
    salt = "An integer for SipHash; "
      .. "nil: FarmHash.", num_bins = "Number of bins, above 0.", output_mode = "\"int\", "
      .. "\"one_hot\", \"multi_hot\" or \"count\".", inputs = "A list of tensors.",
    input_shape = "A shape with the batch axis; false is an unknown size.",
    trainable = "Whether training changes the weights.", autocast = "Taken for Keras's sake.",
    activity_regularizer = "Penalty of the output.", loss = "A scalar.",
    list = "Arrays, in the order "
      .. "of `weights`.", a = "shape, initializer, dtype, trainable, name, regularizer, "
      .. "constraint.",
    vocabulary_dtype = "Taken for Keras's sake.", encoding = "\"utf-8\".",
    oov_method = "\"floormod\" or \"farmhash\": how several unknown tokens are told apart.",
    ctx = "{training=, mask=}.", options = "Further arguments.", synchronized = "Taken for Keras's "
      .. "sake.", value = "A value.", axes = "The axis of each, from 1 with the batch.",
  },
  entries = {
    Layer = {"The base of all layers; own ones have build(input_shape) and call(x, ctx).",
      example = [==[
local Scale = nn.layers.Layer:extend("Scale")
function Scale:build() self.w = self:add_weight{shape = {}, initializer = "ones", name = "w"} end
function Scale:call(x) return x * self.w end
print(Scale{}(nn.tensor{{2}})) --> [[2.]]]==]},
    InputLayer = {"The layer behind nn.Input; first in a Sequential it fixes the input.", args = {
      batch_shape = "The shape with the batch axis.", batch_size = "A fixed size of the batch.",
      optional = "The input may be left out.", input_tensor = "Taken for Keras's sake."},
      shapes = "(N, shape...).", errors = "shape and batch_shape both or neither.",
      example = "print(nn.layers.InputLayer{shape = {3}}.batch_shape[2]) --> 3"},
    Dense = {"activation(x . kernel + bias) over the last axis.",
      shapes = "(N, ..., in) to (N, ..., units). Weights: kernel (in, units), bias (units).",
      errors = "units is no integer above 0; an input whose last axis differs from the first one.",
      example = call('Dense{1, kernel_initializer = "ones"}', "{{1, 2}}", "[[3.]]")},
    EinsumDense = {"activation(einsum(equation, x, kernel) + bias).", args = {
      equation = "As \"ab,bc->ac\"; dots stand for further axes.",
      output_shape = "The output's sizes without the batch; false takes the input's.",
      bias_axes = "Letters of the output that the bias has; nil: no bias."},
      shapes = "By the equation; the kernel has one axis for each letter of its term.",
      example = call('EinsumDense{"ab,bc->ac", 1, kernel_initializer = "ones"}', "{{1, 2}}",
        "[[3.]]")},
    Activation = {"An activation function as a layer.",
      example = call('Activation{"relu"}', "{{-1, 2}}", "[[0. 2.]]")},
    ReLU = {"x above the threshold, at most max_value; negative_slope * (x - threshold) below.",
      example = call("ReLU{max_value = 6}", "{{-1, 9}}", "[[0. 6.]]")},
    LeakyReLU = {"x above 0, else negative_slope * x.", paper = "Maas et al. 2013",
      example = call("LeakyReLU{0.5}", "{{-1, 2}}", "[[-0.5 2. ]]")},
    ELU = {"x above 0, else alpha * (exp(x) - 1).", paper = "Clevert et al. 2016",
      example = call("ELU{}", "{{0, 2}}", "[[0. 2.]]")},
    PReLU = {"x above 0, else a learned alpha * x.", args = {
      shared_axes = "Axes that share one alpha; 2 and 3 for pictures."},
      shapes = "(N, ...) to the same; alpha has the input's shape without N.",
      paper = "He et al. 2015", example = call("PReLU{}", "{{-1, 2}}", "[[0. 2.]]")},
    Softmax = {"exp(x) / sum(exp(x)) along the axis; masked elements become 0.",
      example = call("Softmax{}", "{{1, 1}}", "[[0.5 0.5]]")},
    Dropout = {"In training each element is 0 with probability rate, else x / (1 - rate).",
      errors = "rate is below 0 or above 1.", paper = "Srivastava et al. 2014",
      example = call("Dropout{0.5}", "{{1, 2}}", "[[1. 2.]]")},
    SpatialDropout1D = {"Dropout of whole channels.", shapes = "(N, T, C) to the same.",
      paper = "Tompson et al. 2015", example = shape("SpatialDropout1D{0.5}", "zeros{2, 3, 4}",
        "2, 3, 4")},
    SpatialDropout2D = {"Dropout of whole channels.", shapes = "(N, H, W, C) to the same.",
      paper = "Tompson et al. 2015", example = shape("SpatialDropout2D{0.5}", "zeros{2, 3, 3, 4}",
        "2, 3, 3, 4")},
    SpatialDropout3D = {"Dropout of whole channels.", shapes = "(N, D, H, W, C) to the same.",
      paper = "Tompson et al. 2015", example = shape("SpatialDropout3D{0.5}",
        "zeros{2, 3, 3, 3, 4}", "2, 3, 3, 3, 4")},
    GaussianDropout = {"In training x times Normal(1, sqrt(rate / (1 - rate))).",
      paper = "Srivastava et al. 2014", example = call("GaussianDropout{0.5}", "{{1, 2}}",
        "[[1. 2.]]")},
    AlphaDropout = {"Dropout that keeps mean and variance of selu's outputs.",
      paper = "Klambauer et al. 2017", example = call("AlphaDropout{0.5}", "{{1, 2}}",
      "[[1. 2.]]")},
    GaussianNoise = {"In training x + Normal(0, stddev).",
      example = call("GaussianNoise{0.5}", "{{1, 2}}", "[[1. 2.]]")},
    ActivityRegularization = {"x as it is; l1 * sum(|x|) + l2 * sum(x^2), by row, joins the loss.",
      args = {l1 = "0 or more.", l2 = "0 or more."},
      example = call("ActivityRegularization{l2 = 0.1}", "{{1, 2}}", "[[1. 2.]]")},
    BatchNormalization = {[[gamma * (x - mean) / sqrt(variance + epsilon) + beta. In training with
the batch's statistics, which move the kept ones; else (or frozen) with the kept ones.]],
      args = {axis = "The axis of the channels.", renorm = "Batch renormalization.",
        renorm_clipping = "{rmin=, rmax=, dmax=}.", renorm_momentum = "Momentum of renorm."},
      shapes = "(N, ..., C) to the same. Weights (C,): gamma, beta, moving_mean, moving_variance.",
      errors = "An axis that the input does not have.", paper = "Ioffe and Szegedy 2015",
      example = call("BatchNormalization{epsilon = 0}", "{{1, 2}}", "[[1. 2.]]")},
    LayerNormalization = {"gamma * (x - mean) / sqrt(variance + epsilon) + beta, row by row.",
      shapes = "(N, ...) to the same. Weights gamma, beta: sizes of the axes.",
      paper = "Ba et al. 2016", example = call("LayerNormalization{epsilon = 0}", "{{1, 3}}",
        "[[-1. 1.]]")},
    GroupNormalization = {"Normalizes groups of channels, with gamma and beta for each channel.",
      args = {groups = "Number of groups; -1: one for each channel."},
      shapes = "(N, ..., C) to the same. Weights (C,): gamma, beta.",
      errors = "C is no multiple of groups.", paper = "Wu and He 2018",
      example = call("GroupNormalization{1, epsilon = 0}", "{{1, 3}}", "[[-1. 1.]]")},
    RMSNormalization = {"scale * x / sqrt(mean(x^2) + epsilon).", paper = "Zhang and Sennrich 2019",
      example = call("RMSNormalization{}", "{{2, 2}}", "[[0.9999999 0.9999999]]")},
    UnitNormalization = {"x / |x| along the axis.",
      example = call("UnitNormalization{}", "{{3, 4}}", "[[0.6 0.8]]")},
    SpectralNormalization = {"Divides a layer's kernel by its largest singular value in training.",
      args = {power_iterations = "Steps of the power method a call, above 0."},
      shapes = "Those of the layer inside.", paper = "Miyato et al. 2018",
      example = shape("SpectralNormalization{nn.layers.Dense{2}}", "zeros{1, 3}", "1, 2")},
    Flatten = {"All axes but the batch as one, in row-major order.",
      shapes = "(N, a, b, ...) to (N, a * b * ...); (N,) to (N, 1).",
      example = call("Flatten{}", "{{{1, 2}, {3, 4}}}", "[[1. 2. 3. 4.]]")},
    Reshape = {"Other sizes for the same elements.", args = {
      target_shape = "Sizes without the batch; one may be -1."},
      shapes = "(N, ...) to (N, target_shape...).", errors = "The number of elements differs.",
      example = call("Reshape{{2, 1}}", "{{1, 2}}", "[[[1.] [2.]]]")},
    Permute = {"Axes in another order.", args = {dims = "A permutation of 1 .. n; 1 is the first "
      .. "axis after the batch."}, shapes = "(N, ...) to its permutation.",
      errors = "dims is no permutation.",
      example = shape("Permute{{2, 1}}", "zeros{1, 2, 3}", "1, 3, 2")},
    RepeatVector = {"Each row n times.", args = {n = "How often, above 0."},
      shapes = "(N, F) to (N, n, F).",
      example = call("RepeatVector{2}", "{{1, 2}}", "[[[1. 2.] [1. 2.]]]")},
    Identity = {"x as it is.", example = call("Identity{}", "{{1, 2}}", "[[1. 2.]]")},
    Add = merge("Add", "The sum of the inputs.", "[[4. 6.]]"),
    Subtract = merge("Subtract", "The first input minus the second.", "[[-2. 2.]]",
      "Not exactly two tensors."),
    Multiply = merge("Multiply", "The product of the inputs.", "[[3. 8.]]"),
    Average = merge("Average", "The mean of the inputs.", "[[2. 3.]]"),
    Maximum = merge("Maximum", "The largest of the inputs, element by element.", "[[3. 4.]]"),
    Minimum = merge("Minimum", "The smallest of the inputs, element by element.", "[[1. 2.]]"),
    Concatenate = {"The inputs one after the other along the axis.",
      shapes = "A list of tensors that differ along the axis alone.",
      errors = "Sizes differ on another axis: the message names the shapes.",
      example = "print(nn.layers.Concatenate{}"
        .. "{nn.tensor{{1}}, nn.tensor{{2, 3}}}) --> [[1. 2. 3.]]\n"},
    Dot = {"Products of two tensors, summed along an axis of each, row by row.",
      args = {normalize = "Divide by the norms first: the cosine."},
      shapes = "(N, ...), (N, ...) to both without their axis, at least (N, 1).",
      example = "print(nn.layers.Dot{2}{nn.tensor{{1, 2}}, nn.tensor{{3, 4}}}) --> [[11.]]\n"},
    add = merged("add", "Add", "The sum.", "[[4. 6.]]"),
    subtract = merged("subtract", "Subtract", "The difference.", "[[-2. 2.]]"),
    multiply = merged("multiply", "Multiply", "The product.", "[[3. 8.]]"),
    average = merged("average", "Average", "The mean.", "[[2. 3.]]"),
    maximum = merged("maximum", "Maximum", "The largest.", "[[3. 4.]]"),
    minimum = merged("minimum", "Minimum", "The smallest.", "[[1. 2.]]"),
    concatenate = merged("concatenate", "Concatenate", "One after the other.", "[[1. 4. 3. 2.]]"),
    dot = {"Products along an axis of each. As a function.", returns = "A tensor.",
    shapes = "Two tensors.",
      args = {options = "Arguments of Dot."},
      example = "print(nn.layers.dot("
        .. "{nn.tensor{{1, 2}}, nn.tensor{{3, 4}}}, {axes = 2})) --> [[11.]]\n"},
    Normalization = {"(x - mean) / max(sqrt(variance), 1e-7) with statistics of adapt(data).",
    args = {
      mean = "Known means; nil: by adapt.", variance = "Known variances.", invert = "The way back.",
      axis = "Axes with statistics of their own; nil: one for all."}, example = [==[
local layer = nn.layers.Normalization{}
layer:adapt(nn.tensor{{1}, {3}})
print(layer(nn.tensor{{5}})) --> [[3.]]]==]},
    Rescaling = {"x * scale + offset.", args = {scale = "The factor.", offset = "What is added."},
      example = call("Rescaling{0.5, 1}", "{{2, 4}}", "[[2. 3.]]")},
    Discretization = {"The bin of a number: how many boundaries are at or below it.", args = {
      bin_boundaries = "Boundaries, ascending; or num_bins.", num_bins = "Bins that adapt finds.",
      epsilon = "Precision of adapt's quantiles."},
      errors = "Both or neither of the two are given.",
      shapes = "Any shape to int32 of the same, or encoded.",
      example = call("Discretization{bin_boundaries = {0, 10}}", "{-1, 5, 10}", "[0 1 2]")},
    CategoryEncoding = {"Class ids as columns of 0 and 1, or counts.", args = {
      num_tokens = "Number of ids, 0 .. num_tokens - 1.",
      output_mode = "\"multi_hot\", \"one_hot\" or \"count\"."},
      shapes = "(N, n) to (N, num_tokens); one_hot appends an axis.",
      example = call('CategoryEncoding{3, output_mode = "one_hot"}', "{2, 0}",
        "[[0. 0. 1.] [1. 0. 0.]]")},
    Hashing = {"The bin of a value's hash: FarmHash, or SipHash with a salt.", args = {
      mask_value = "The value that becomes bin 0; nil: none."},
      shapes = "Any shape of numbers or texts to int32 of the same.",
      example = 'print(nn.layers.Hashing{3}{"A", "B", "E"}) --> [1 0 2]\n'},
    HashedCrossing = {"The bin of the hash of several columns together.",
      shapes = "A list of columns (N,) or (N, 1).",
      example = 'print(nn.layers.HashedCrossing{5}{{"A", "B"}, {1, 2}}.size) --> 2'},
    IntegerLookup = {"Indices of whole numbers in a vocabulary.", args = lookup,
      shapes = "Any shape to int32 of the same, or encoded.",
      errors = "Repeated tokens; an unknown one with num_oov_indices 0.",
      example = call("IntegerLookup{vocabulary = {10, 20}}", "({20, 10, 5}, 'int32')", "[2 1 0]")},
    StringLookup = {"Indices of texts in a vocabulary.", args = lookup,
      shapes = "A list of texts to int32, or encoded.",
      errors = "Repeated tokens; an unknown one with num_oov_indices 0.", example = [==[
local layer = nn.layers.StringLookup{vocabulary = {"a", "b"}}
print(layer{"b", "a", "z"}) --> [2 1 0]]==]},
    TextVectorization = {"Sentences as indices of their words.", args = {
      max_tokens = lookup.max_tokens, vocabulary = lookup.vocabulary,
      idf_weights = lookup.idf_weights,
      standardize = "\"lower_and_strip_punctuation\", \"lower\", \"strip_punctuation\", a "
        .. "function or "
        .. "nil.", split = "\"whitespace\", \"character\", a function or nil.",
        ngrams = "Longest run "
        .. "of words taken as one, or a list of lengths.", output_mode = lookup.output_mode,
      output_sequence_length = "Cut or fill to that length; nil: the longest.",
      pad_to_max_tokens = lookup.pad_to_max_tokens, encoding = "\"utf-8\"."},
      shapes = "A list of N texts to (N, words) or (N, vocabulary).", example = [==[
local layer = nn.layers.TextVectorization{vocabulary = {"hello", "world"}}
print(layer{"Hello, World!"}) --> [[2 3]]]==]},
    Embedding = {"A learned vector for each id.",
      shapes = "(N, ...) ids 0 .. input_dim - 1 to (N, ..., output_dim).",
      errors = "An id outside the range.",
      example = shape("Embedding{10, 4}", "zeros{2, 3}", "2, 3, 4")},
    ReversibleEmbedding = {"An Embedding that also leads back from vectors to logits of ids.",
    args = {
      tie_weights = "The way back uses the same vectors.",
      reverse_dtype = "Taken for Keras's sake.",
      logit_soft_cap = "c * tanh(logits / c); nil: none."},
      shapes = "(N, ...) to (N, ..., output_dim), or back with {reverse = true}.",
      example = shape("ReversibleEmbedding{10, 4}", "zeros{2, 3}", "2, 3, 4")},
    Masking = {"Steps that are mask_value all over become 0 and are left out by later layers.",
      shapes = "(N, T, F) to the same.",
      example = call("Masking{9}", "{{{9, 9}, {9, 1}}}", "[[[0. 0.] [9. 1.]]]")},
    Lambda = {"A function as a layer.", args = {
      ["function"] = "f(x, ...): a Lua function of tensors.",
      output_shape = "For functions that cannot be traced.", mask = "The mask of its output.",
      arguments = "Further arguments, by name."},
      errors = "Loading a function that is not registered.",
      shapes = "What the function makes of it.",
      example = call("Lambda{function(x) return x * 2 end}", "{{1, 2}}", "[[2. 4.]]")},
    Wrapper = {"The base of layers around a layer.", shapes = "Those of the layer inside.",
      example = "print(nn.layers.Wrapper.class_name) --> Wrapper"},
    TimeDistributed = {"The layer inside on each step, with the same weights.",
      shapes = "(N, T, ...) to (N, T, output of the layer...).",
      example = shape("TimeDistributed{nn.layers.Dense{2}}", "zeros{1, 5, 3}", "1, 5, 2")},
    names = {"Names of all layers, sorted.", returns = "A list.", shapes = "",
      example = "print(nn.layers.names()[1]) --> Activation"},
  },
  fields = {Layer = {
    weights = "Trainable, then non-trainable, then those of layers inside.",
    variables = "As weights.",
    trainable_weights = "Those that training changes.", trainable_variables = "The same.",
    non_trainable_weights = "Those that it does not.", non_trainable_variables = "The same.",
    trainable = "false freezes the layer; can be set.", losses = "Penalties of the weights.",
    compute_dtype = "\"float32\".", variable_dtype = "\"float32\".", input_dtype = "\"float32\".",
    dtype_policy = "\"float32\".", input = "The symbolic input of its one call.",
    output = "The symbolic output of its one call.", metrics = "Metrics of the layer.",
    metrics_variables = "Their variables.", path = "Names of enclosing layers and its own.",
    name = "The layer's name.", built = "Whether it has its weights.",
  }},
  internal = {Layer = "on_assign ordered_sublayers symbolic_call check_inputs ensure_built "
    .. "base_config "
    .. "weight_losses get_build_config build_from_config compute_output_spec supports_jit"},
  methods = {Layer = {
    build = {"Makes the weights; own layers write it.", signature = "(input_shape)"},
    call = {"y = call(x, ctx); own layers write it. ctx.training is true in fit.",
      signature = "(x, ctx)"},
    add_variable = "As add_weight.",
    compute_output_shape = "The output's shape for an input's shape.",
    get_weights = {"Copies of the weights, in the order of `weights`.", example = [==[
local layer = nn.layers.Dense{2, input_shape = {3}}
layer(nn.zeros{1, 3})
print(#layer:get_weights()) --> 2]==]},
  }},
}
