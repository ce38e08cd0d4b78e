-- Exported C compiles and computes what the model predicts; exported ONNX reads back.

local nn = require "nnlua"
local core = require "nnlua.core"
local support = require "spec.saving.export_support"
local files = require "spec.support.files"
local scratch = require "spec.support.scratch"

local L = nn.layers
local folder

local function path(name) return folder .. "/" .. name end

setup(function() folder = scratch.make() end)

teardown(function() scratch.remove(folder) end)

before_each(function()
  nn.utils.clear_session()
  nn.utils.set_random_seed(3)
end)

local numbers, flat, shaken = support.numbers, support.flat, support.shake

local function sequential(shape, ...)
  return shaken(nn.Sequential{nn.Input{shape = shape}, ...})
end

local function names()
  return {"linear", "relu", "relu6", "elu", "selu", "gelu", "sigmoid", "hard_sigmoid", "tanh",
    "softplus", "softsign", "silu", "exponential", "softmax", "log_softmax", "mish", "leaky_relu"}
end

local models = {
  mlp = function()
    return sequential({6}, L.Dense{5, activation = "relu"}, L.Dropout{0.5},
      L.Dense{4, activation = "tanh", use_bias = false}, L.Dense{3, activation = "softmax"})
  end,
  normalizations = function()
    return sequential({6}, L.BatchNormalization{}, L.LayerNormalization{}, L.RMSNormalization{},
      L.Rescaling{0.5, 0.1}, L.Dense{2})
  end,
  shapes = function()
    return sequential({6}, L.Reshape{{2, 3}}, L.Permute{{2, 1}}, L.Dense{4}, L.ReLU{max_value = 1,
      negative_slope = 0.1}, L.Flatten{}, L.RepeatVector{2}, L.Flatten{}, L.ELU{alpha = 0.5},
      L.LeakyReLU{0.1})
  end,
  merged = function()
    local x = nn.Input{shape = {6}}
    local a, b = L.Dense{6, activation = "tanh"}(x), L.Dense{6}(x)
    local list = {}
    for i, name in ipairs {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"} do
      list[i] = L[name]{}{a, b}
    end
    return shaken(nn.Model{inputs = x, outputs = L.Concatenate{}(list)})
  end,
  nested = function()
    local inner = nn.Sequential{nn.Input{shape = {6}}, L.Dense{4, activation = "relu"}}
    return sequential({6}, inner, L.Dense{2})
  end,
}
function models.windows()
  return sequential({6}, L.Reshape{{3, 2, 1}}, L.Conv2D{4, {2, 2}, padding = "same",
    activation = "relu"}, L.DepthwiseConv2D{{2, 1}, depth_multiplier = 2},
    L.MaxPooling2D{{2, 1}, padding = "same", strides = 1}, L.SeparableConv2D{3, {2, 2}},
    L.AveragePooling2D{{1, 1}}, L.Flatten{}, L.Dense{3})
end
function models.steps()
  return sequential({6}, L.Reshape{{6, 1}}, L.Conv1D{4, 3, strides = 2, padding = "causal"},
    L.AveragePooling1D{2, padding = "same"}, L.Conv1D{4, 2, groups = 2, padding = "same"},
    L.GlobalAveragePooling1D{})
end
function models.others()
  return sequential({6}, L.PReLU{}, L.UnitNormalization{}, L.Reshape{{3, 2}},
    L.TimeDistributed{L.Dense{3}}, L.GlobalMaxPooling1D{})
end

for _, name in ipairs(names()) do
  models["activation " .. name] = function()
    return sequential({6}, L.Dense{5, activation = name})
  end
end

local function same(want, got)
  assert.equal(#want, #got)
  for i = 1, #want do assert.near(want[i], got[i], 2e-6 * (1 + math.abs(want[i]))) end
end

local function sorted(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

describe("export to C", function()
  for _, name in ipairs(sorted(models)) do
    it("computes what the model predicts: " .. name, function()
      local model, x = models[name](), numbers{4, 6}
      local want = model:predict{x, verbose = 0}
      same(flat(want), support.run_c(folder, model, {x}, {want}))
    end)
  end
end)

describe("export to ONNX", function()
  for _, name in ipairs {"mlp", "activation relu", "activation softmax"} do
    it("reads back: " .. name, function()
      local model, x = models[name](), numbers{4, 6}
      model:export(path "m.onnx")
      local before = core.sha256_file(path "m.onnx")
      model:export(path "m.onnx")
      assert.equal(before, core.sha256_file(path "m.onnx"))
      local again = nn.saving.load_model(path "m.onnx")
      same(flat(model:predict{x, verbose = 0}),
        flat(again:predict{x, verbose = 0}))
    end)
  end

  it("writes every model that is exported to C", function()
    for _, name in ipairs(sorted(models)) do models[name]():export(path "any.onnx") end
  end)

  it("survives cut and changed files", function()
    models.mlp():export(path "cut.onnx")
    local text = files.read(path "cut.onnx")
    for at = 1, #text, 3 do
      files.write(path "bad.onnx", text:sub(1, at - 1))
      pcall(nn.saving.load_model, path "bad.onnx")
      local byte = string.char(text:byte(at) ~ 0xff)
      files.write(path "bad.onnx", text:sub(1, at - 1) .. byte .. text:sub(at + 1))
      pcall(nn.saving.load_model, path "bad.onnx")
    end
  end)
end)
