-- nnlua spec/interop/onnx.lua FOLDER: exports models for onnxruntime, with inputs and what predict
-- gives: those that are exchanged with Keras, every layer, and those of the specs of export.

package.path = "./?.lua;" .. package.path
local nn = require "nnlua"
local core = require "nnlua.core"
local models = require "spec.interop.models"
local rows = require "spec.layers.rows"
local support = require "spec.interop.support"
local zoo = require "spec.saving.export_models"

local folder, names, left_out = arg[1], {}, {}

local function as_list(x) return core.is_tensor(x) and {x} or x end

local function tensors(list)
  local out = {}
  for i, t in ipairs(list) do
    out[i] = {shape = t.shape, dtype = t.dtype, values = support.flat(t)}
  end
  return out
end

-- A run of the model: what goes in and what comes out.
local function run(model, inputs)
  local y = model:predict{#inputs == 1 and inputs[1] or inputs, verbose = 0}
  return {inputs = tensors(inputs), outputs = tensors(as_list(y))}
end

local function first_row(list)
  local out = {}
  for i, t in ipairs(list) do
    local ranges = {{1, 1}}
    for d = 2, t.ndim do ranges[d] = {1, t.shape[d]} end
    out[i] = t:slice(ranges):clone()
  end
  return out
end

-- make gives a model and the inputs of each run.
local function export_runs(name, make)
  nn.utils.clear_session()
  nn.utils.set_random_seed(7)
  local model, list = make()
  local base = ("%s/%d"):format(folder, #names + 1)
  local ok, text = pcall(model.export, model, base .. ".onnx")
  if ok then
    local runs = {}
    for i, inputs in ipairs(list) do runs[i] = run(model, inputs) end
    support.write(base .. ".onnx.json", {name = name, runs = runs})
    names[#names + 1] = name
  else
    left_out[#left_out + 1] = name
    print(tostring(text))
  end
end

local function export(name, make)
  export_runs(name, function()
    local model, inputs = make()
    return model, {inputs, first_row(inputs)}
  end)
end

for _, m in ipairs(models) do
  export(m.name, function() return m.build(), as_list(support.input(m)) end)
end
for i, row in ipairs(rows) do
  export(("layer %d %s"):format(i, row[1]), function() return zoo.of_row(row, 7) end)
end
for _, m in ipairs(zoo.models) do
  export(m.name, function() return zoo.make(m, 7) end)
end
export("a model with a call of its own", function() return zoo.own(7) end)
for _, m in ipairs(zoo.open) do
  export_runs(m.name, function()
    return zoo.make_open(m), {zoo.open_inputs(m, 4, m.sizes[1]), zoo.open_inputs(m, 1, m.sizes[2])}
  end)
end
support.write(folder .. "/onnx.json", names)
print(("%d models exported; left out: %s"):format(#names, table.concat(left_out, ", ")))
