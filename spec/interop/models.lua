-- Models that nnlua and Keras exchange: between them every layer of tier 1 and some of the others.
-- {name=, build = function() ... end, x = shape or list of shapes, ids = highest id for integers}

local nn = require "nnlua"
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

-- beyond tier 1, where the layers are there
local function maybe(name, shape, config)
  local ok, layer = pcall(function() return nn.layers[name] end)
  if ok and layer then one(name, shape, config) end
end
maybe("Conv1D", {6, 3}, {4, 3})
maybe("Conv2D", {6, 6, 2}, {4, 3, padding = "same"})
maybe("Conv2DTranspose", {4, 4, 2}, {3, 3, strides = 2})
maybe("DepthwiseConv2D", {6, 6, 2}, {3})
maybe("SeparableConv2D", {6, 6, 2}, {4, 3})
maybe("MaxPooling2D", {6, 6, 2}, {2})
maybe("AveragePooling2D", {6, 6, 2}, {2})
maybe("GlobalAveragePooling2D", {6, 6, 2})
maybe("GlobalMaxPooling1D", {6, 2})
maybe("ZeroPadding2D", {4, 4, 2})
maybe("Cropping2D", {6, 6, 2})
maybe("UpSampling2D", {4, 4, 2})
maybe("SimpleRNN", {5, 3}, {4})
maybe("LSTM", {5, 3}, {4})
maybe("GRU", {5, 3}, {4})

return models
