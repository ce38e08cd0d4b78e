-- Models that nnlua and Keras exchange: between them every layer that both have and that works on
-- numbers.
-- {name=, build = function() ... end, x = shape or list of shapes, ids = highest id for integers,
-- needs = what Keras needs for it, no_h5 = Keras cannot read it, lost_h5 = the error of a .h5 of
-- Keras}

local nn = require "nnlua"
local support = require "spec.interop.support"
local L = setmetatable({}, {__index = function(_, name)
  return nn.layers[name] or error("no layer " .. name)
end})

local function seq(shape, ...)
  local list = {nn.Input{shape = shape}, ...}
  list[#list + 1] = L.Flatten{}
  list[#list + 1] = L.Dense{3, activation = "softmax"}
  return nn.Sequential(list)
end

local models = {}

local function add(name, shape, ...)
  local given = {...}
  models[#models + 1] = {name = name, x = shape, build = function()
    local layers = {}
    for i, make in ipairs(given) do layers[i] = make() end
    return seq(shape, table.unpack(layers))
  end}
end

local function one(name, shape, config)
  add(name, shape, function() return L[name](config or {}) end)
end

add("dense", {6}, function()
  return L.Dense{5, activation = "relu", kernel_regularizer = nn.regularizers.L2{0.01},
    kernel_constraint = nn.constraints.MaxNorm{2}, bias_initializer = "ones"}
end, function() return L.Dense{4, activation = "tanh", use_bias = false} end)
one("Activation", {6}, {"gelu"})
one("ReLU", {6}, {max_value = 2, negative_slope = 0.1})
one("LeakyReLU", {6}, {negative_slope = 0.2})
one("ELU", {6}, {alpha = 0.7})
one("PReLU", {6})
one("Softmax", {6})
one("Reshape", {6}, {target_shape = {2, 3}})
one("Permute", {2, 3}, {dims = {2, 1}})
one("RepeatVector", {6}, {2})
one("Identity", {6})
one("Dropout", {6}, {0})
one("SpatialDropout1D", {4, 3}, {0})
one("GaussianDropout", {6}, {0})
one("AlphaDropout", {6}, {0})
one("GaussianNoise", {6}, {0})
one("ActivityRegularization", {6}, {l2 = 0.01})
one("EinsumDense", {4, 3}, {"abc,cd->abd", output_shape = {4, 5}, bias_axes = "d"})
one("BatchNormalization", {6})
add("BatchNormalization-axis", {4, 6}, function() return L.BatchNormalization{axis = 2} end)
one("LayerNormalization", {6})
one("GroupNormalization", {6}, {groups = 2})
one("RMSNormalization", {6})
one("UnitNormalization", {6})
add("SpectralNormalization", {6}, function()
  return L.SpectralNormalization{L.Dense{4, name = "inner"}}
end)
add("TimeDistributed", {4, 3}, function() return L.TimeDistributed{L.Dense{5}} end)
one("Rescaling", {6}, {scale = 0.5, offset = 1})
one("Normalization", {6}, {mean = {1, 2, 3, 4, 5, 6}, variance = {1, 1, 2, 2, 3, 3}})
add("Normalization-adapted", {6}, function()
  local layer = L.Normalization{}
  layer:adapt(support.numbers({6}, 3))
  return layer
end)
one("Masking", {4, 3})

-- integers
models[#models + 1] = {name = "Embedding", x = {5}, ids = 7, build = function()
  return nn.Sequential{nn.Input{shape = {5}, dtype = "int32"}, L.Embedding{8, 4}, L.Flatten{},
    L.Dense{3, activation = "softmax"}}
end}
models[#models + 1] = {name = "CategoryEncoding", x = {5}, ids = 7, build = function()
  return nn.Sequential{nn.Input{shape = {5}, dtype = "int32"},
    L.CategoryEncoding{num_tokens = 8, output_mode = "multi_hot"}, L.Dense{3,
    activation = "softmax"}}
end}

-- functional models
local function merge(name, config)
  models[#models + 1] = {name = name, x = {6}, build = function()
    local x = nn.Input{shape = {6}, name = "x"}
    local a, b = L.Dense{4, name = "a"}(x), L.Dense{4, name = "b"}(x)
    local y = L[name](config or {}){a, b}
    return nn.Model{inputs = x, outputs = L.Dense{3, activation = "softmax", name = "y"}(y)}
  end}
end
for _, name in ipairs {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum",
  "Concatenate"} do merge(name) end
merge("Dot", {axes = 2, normalize = true})

models[#models + 1] = {name = "shared", x = {6}, build = function()
  local x = nn.Input{shape = {6}, name = "x"}
  local d = L.Dense{6, activation = "relu", name = "twice"}
  local y = L.Add{name = "sum"}{d(d(x)), x}
  return nn.Model{inputs = x, outputs = L.Dense{3, activation = "softmax", name = "y"}(y)}
end}
models[#models + 1] = {name = "nested", x = {6}, build = function()
  local inner = nn.Sequential{nn.Input{shape = {6}}, L.Dense{5, activation = "relu"},
    L.BatchNormalization{}}
  return nn.Sequential{nn.Input{shape = {6}}, inner, L.Dense{3, activation = "softmax"}}
end}
models[#models + 1] = {name = "two-inputs", x = {{6}, {4}}, build = function()
  local a, b = nn.Input{shape = {6}, name = "a"}, nn.Input{shape = {4}, name = "b"}
  local y = L.Concatenate{}{L.Dense{3, activation = "relu"}(a), b}
  return nn.Model{inputs = {a, b}, outputs = L.Dense{3, activation = "softmax"}(y)}
end}

-- optimizers
for _, name in ipairs {"SGD", "RMSprop", "Adam", "AdamW", "Adagrad", "Adadelta", "Adamax", "Nadam",
  "Ftrl", "Lion", "Adafactor", "Lamb"} do
  models[#models + 1] = {name = "optimizer-" .. name, x = {6},
    optimizer = function() return nn.optimizers[name]{learning_rate = 0.01} end,
    build = function() return seq({6}, L.Dense{5, activation = "tanh"}) end}
end
models[#models + 1] = {name = "optimizer-schedule", x = {6}, optimizer = function()
  return nn.optimizers.SGD{learning_rate = nn.optimizers.schedules.CosineDecay{0.1, 20},
    momentum = 0.9, nesterov = true}
end, build = function() return seq({6}, L.Dense{5, activation = "tanh"}) end}
models[#models + 1] = {name = "optimizer-ema", x = {6}, optimizer = function()
  return nn.optimizers.Adam{learning_rate = 0.01, use_ema = true, amsgrad = true, clipnorm = 1}
end, build = function() return seq({6}, L.Dense{5, activation = "tanh"}) end}

-- Dropout layers of other ranks, and integers of other kinds.
one("SpatialDropout2D", {4, 4, 2}, {0})
one("SpatialDropout3D", {3, 3, 3, 2}, {0})
one("Discretization", {6}, {bin_boundaries = {-0.5, 0, 0.6}, output_mode = "multi_hot"})
local function ids(name, highest, shape, ...)
  local make = {...} -- preceded by what Keras needs for it, if that is much
  local needs = type(make[1]) == "string" and table.remove(make, 1) or nil
  models[#models + 1] = {name = name, x = shape, ids = highest, needs = needs, build = function()
    local layers = {nn.Input{shape = shape, dtype = "int32"}}
    for i, f in ipairs(make) do layers[i + 1] = f() end
    layers[#layers + 1] = L.Flatten{}
    layers[#layers + 1] = L.Dense{3, activation = "softmax"}
    return nn.Sequential(layers)
  end}
end
ids("ReversibleEmbedding", 7, {5}, function() return L.ReversibleEmbedding{8, 4} end)
ids("Embedding-mask", 7, {5}, function() return L.Embedding{8, 4, mask_zero = true} end,
  function() return L.LSTM{4} end)
ids("IntegerLookup", 7, {5}, "tensorflow", function()
  return L.IntegerLookup{vocabulary = {1, 2, 3, 5}, output_mode = "multi_hot"}
end)
ids("IntegerLookup-adapted", 7, {5}, "tensorflow", function()
  local layer = L.IntegerLookup{max_tokens = 6, output_mode = "count"}
  layer:adapt(support.ids({5}, 7))
  return layer
end)
models[#models].lost_h5 = "the file does not hold its vocabulary"
ids("IntegerLookup-indices", 7, {5}, "tensorflow", function()
  return L.IntegerLookup{vocabulary = {1, 2, 3, 5}, num_oov_indices = 2}
end, function() return L.Embedding{6, 3} end)
ids("Hashing-indices", 7, {5}, "tensorflow", function() return L.Hashing{6} end,
  function() return L.Embedding{6, 3} end)
ids("Hashing", 7, {5}, "tensorflow", function()
  return L.Hashing{6, output_mode = "multi_hot"}
end)
models[#models + 1] = {name = "ReversibleEmbedding-reverse", x = {5}, ids = 7, build = function()
  local x = nn.Input{shape = {5}, dtype = "int32", name = "x"}
  local e = L.ReversibleEmbedding{8, 4, tie_weights = false, name = "e"}
  local y = L.Dense{4, activation = "tanh", name = "d"}(e(x))
  y = L.Flatten{name = "f"}(e(y, {reverse = true}))
  return nn.Model{inputs = x, outputs = L.Dense{3, activation = "softmax", name = "y"}(y)}
end}

-- windows
for _, rank in ipairs {1, 2, 3} do
  local shape = ({{6, 2}, {6, 6, 2}, {4, 4, 4, 2}})[rank]
  local function each(name, config) one(name:format(rank), shape, config) end
  each("Conv%dD", {3, 3, padding = "same", activation = "relu", dilation_rate = 2})
  each("Conv%dDTranspose", {3, 3, strides = 2})
  if rank < 3 then
    each("DepthwiseConv%dD", {3, depth_multiplier = 2})
    each("SeparableConv%dD", {3, 3, depth_multiplier = 2})
  end
  each("MaxPooling%dD", {2, padding = "same"})
  each("AveragePooling%dD", {2, strides = 1})
  each("GlobalMaxPooling%dD", {keepdims = true})
  each("GlobalAveragePooling%dD")
  each("AdaptiveMaxPooling%dD", {2})
  each("AdaptiveAveragePooling%dD", {3})
  each("ZeroPadding%dD", {1})
  each("Cropping%dD", {1})
  each("UpSampling%dD", {2})
end
one("Conv2D", {6, 6, 4}, {4, 3, strides = 2, groups = 2, use_bias = false})
models[#models].name = "Conv2D-groups"

-- recurrent
for _, name in ipairs {"SimpleRNN", "LSTM", "GRU"} do
  one(name, {5, 3}, {4})
  one(name, {5, 3}, {4, return_sequences = true, go_backwards = true})
  models[#models].name = name .. "-sequences"
  add("RNN-" .. name, {5, 3}, function() return L.RNN{L[name .. "Cell"]{4}} end)
  add("Bidirectional-" .. name, {5, 3}, function() return L.Bidirectional{L[name]{3}} end)
end
add("StackedRNNCells", {5, 3}, function()
  return L.RNN{L.StackedRNNCells{{L.LSTMCell{3}, L.GRUCell{4, reset_after = false}}}}
end)
add("Bidirectional-sum", {5, 3}, function()
  return L.Bidirectional{L.GRU{3, return_sequences = true}, merge_mode = "sum"}
end)
add("Masking-GRU", {5, 3}, function() return L.Masking{mask_value = 0.36} end,
  function() return L.GRU{4} end)
models[#models + 1] = {name = "LSTM-states", x = {5, 3}, build = function()
  local x = nn.Input{shape = {5, 3}, name = "x"}
  local out = L.LSTM{4, return_state = true, name = "encoder"}(x)
  local y = L.LSTM{4, name = "decoder"}{x, out[2], out[3]}
  return nn.Model{inputs = x, outputs = L.Dense{3, activation = "softmax", name = "y"}(y)}
end}

-- attention
local function attention(name, make)
  models[#models + 1] = {name = name, x = {4, 6}, build = function()
    local x = nn.Input{shape = {4, 6}, name = "x"}
    local y = L.Flatten{name = "f"}(make()(L.Dense{6, name = "q"}(x), L.Dense{6, name = "v"}(x)))
    return nn.Model{inputs = x, outputs = L.Dense{3, activation = "softmax", name = "y"}(y)}
  end}
end
local function of_list(layer) return function(q, v) return layer{q, v} end end
attention("Attention", function() return of_list(L.Attention{use_scale = true}) end)
attention("AdditiveAttention", function() return of_list(L.AdditiveAttention{}) end)
attention("MultiHeadAttention", function()
  return of_list(L.MultiHeadAttention{num_heads = 2, key_dim = 3})
end)
attention("GroupQueryAttention", function()
  return of_list(L.GroupQueryAttention{head_dim = 3, num_query_heads = 4, num_key_value_heads = 2})
end)

-- calls of nn.ops on symbolic tensors; Keras cannot read its own .h5 of these
models[#models + 1] = {name = "ops", x = {6}, no_h5 = true, build = function()
  local ops, x = nn.ops, nn.Input{shape = {6}, name = "x"}
  local a = L.Dense{6, name = "a"}(x)
  local y = 2 - (ops.relu(a) + 1) * x / 3
  y = ops.concatenate{{y, -ops.tanh(a) ^ 2, ops.get_item{a, {false, {2, 4}}}}, axis = -1}
  y = y - ops.mean{y, axis = 2, keepdims = true} + ops.max{a, axis = -1, keepdims = true}
  y = ops.transpose(ops.reshape{y, {-1, 3, 5}}, {1, 3, 2})
  y = ops.matmul(y, ops.expand_dims{ops.get_item{a, {false, {1, 3}}}, axis = 3})
  y = ops.squeeze{ops.clip(y, -2, 2), axis = 3}
  y = ops.where{ops.greater(y, 0), y, ops.leaky_relu{y, negative_slope = 0.3}}
  y = ops.add(y, ops.reshape{ops.einsum("ab,ab->a", a, x), {-1, 1}})
  return nn.Model{inputs = x, outputs = L.Dense{3, activation = "softmax", name = "y"}(y)}
end}

return models
