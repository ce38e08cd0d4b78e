-- nn.layers: every layer by its Keras name, loaded when first used. One line a layer.

local tree = require "nnlua.tree"

local lazy = {
  Layer = "layer", Input = "input", InputLayer = "input", Dense = "dense",
  Activation = "activation", ReLU = "activation", LeakyReLU = "activation", ELU = "activation",
  PReLU = "activation", Softmax = "activation",
  Flatten = "reshaping", Reshape = "reshaping", Permute = "reshaping",
  RepeatVector = "reshaping", Identity = "reshaping",
  Dropout = "dropout", SpatialDropout1D = "dropout", SpatialDropout2D = "dropout",
  SpatialDropout3D = "dropout", GaussianDropout = "dropout", AlphaDropout = "dropout",
  GaussianNoise = "dropout", ActivityRegularization = "dropout",
  Embedding = "embedding", Masking = "embedding",
  EinsumDense = "einsum_dense", ReversibleEmbedding = "reversible_embedding",
  BatchNormalization = "batch_normalization", LayerNormalization = "normalization",
  GroupNormalization = "normalization", RMSNormalization = "normalization",
  UnitNormalization = "normalization", SpectralNormalization = "spectral_normalization",
  Normalization = "preprocessing", Rescaling = "preprocessing",
  Discretization = "discretization", CategoryEncoding = "encoding", Hashing = "encoding",
  HashedCrossing = "encoding", IntegerLookup = "lookup", StringLookup = "lookup",
  TextVectorization = "text_vectorization",
  RNN = "recurrent", SimpleRNN = "recurrent", LSTM = "recurrent", GRU = "recurrent",
  SimpleRNNCell = "recurrent_cells", LSTMCell = "recurrent_cells", GRUCell = "recurrent_cells",
  StackedRNNCells = "recurrent_cells", Bidirectional = "bidirectional",
  Attention = "attention", AdditiveAttention = "attention",
  MultiHeadAttention = "multi_head_attention", GroupQueryAttention = "multi_head_attention",
  Lambda = "wrappers", Wrapper = "wrappers", TimeDistributed = "wrappers",
  Add = "merging", Subtract = "merging", Multiply = "merging", Average = "merging",
  Maximum = "merging", Minimum = "merging", Concatenate = "merging", Dot = "merging",
  add = "merging", subtract = "merging", multiply = "merging", average = "merging",
  maximum = "merging", minimum = "merging", concatenate = "merging", dot = "merging",
}

-- Families of one to three axes.
local families = {
  conv = [[Conv%dD Convolution%dD Conv%dDTranspose Convolution%dDTranspose DepthwiseConv%dD
    SeparableConv%dD SeparableConvolution%dD]],
  pooling = [[MaxPooling%dD MaxPool%dD AveragePooling%dD AvgPool%dD GlobalMaxPooling%dD
    GlobalMaxPool%dD GlobalAveragePooling%dD GlobalAvgPool%dD AdaptiveMaxPooling%dD
    AdaptiveAveragePooling%dD]],
  resizing = "ZeroPadding%dD Cropping%dD UpSampling%dD",
}

for file, list in pairs(families) do
  for pattern in list:gmatch "%S+" do
    local ranks = (pattern:find "^Depthwise" or pattern:find "^Separable") and 2 or 3
    for rank = 1, ranks do lazy[pattern:format(rank)] = file end
  end
end

local layers = {}

--- Names of all built-in layers, sorted.
function layers.names() return tree.keys(lazy) end

return setmetatable(layers, {
  __index = function(_, name)
    local file = lazy[name]
    if not file then return nil end
    local value = require("nnlua.layers." .. file)
    if rawget(value, "class_name") == nil then value = value[name] end -- a family of layers
    layers[name] = value
    return value
  end,
})
