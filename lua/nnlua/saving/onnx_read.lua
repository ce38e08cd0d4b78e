-- Reading ONNX: MLPs (Gemm, or MatMul and Add, with activations between them, one after the other)
-- as Sequential models. The file itself is read by src/io/onnx.c, which bounds it.

local core = require "nnlua.core"
local err = require "nnlua.err"

local onnx = {}

-- MLPs --------------------------------------------------------------------------------------------

local activations = {
  Relu = "relu", Sigmoid = "sigmoid", Tanh = "tanh", Softmax = "softmax",
  LogSoftmax = "log_softmax",
  Softplus = "softplus", Softsign = "softsign", Exp = "exponential", Selu = "selu",
  Identity = "linear", Dropout = "linear", Flatten = "linear",
}

-- Weights are read when they are asked for; others than float32 become float32.
local function values(m, t)
  local read = m.file:read(t.at)
  return read.dtype == "float32" and read or require("nnlua.ops.common").cast(read, "float32")
end

local function matrix(m, node, k)
  local t = m.tensors[node.inputs[k]]
  if not t or #t.shape ~= 2 or t.shape[1] * t.shape[2] == 0 then
    err.raise("%s: %s '%s' does not multiply by a matrix of the file", m.where, node.op, node.name)
  end
  return t
end

local function add_dense(m, kernel, turned)
  local rows, units = kernel.shape[1], kernel.shape[2]
  if turned then rows, units = units, rows end
  if m.columns and m.columns ~= rows then
    err.raise("%s: a matrix has %d rows, expected %d", m.where, rows, m.columns)
  end
  m.columns, m.first = units, m.first or rows
  m.layers[#m.layers + 1] = {kernel = kernel, turned = turned, units = units}
end

-- (units), or with sizes of 1 before.
local function is_row(shape, units)
  for i = 1, #shape - 1 do if shape[i] ~= 1 then return false end end
  return shape[#shape] == units
end

local function set_bias(m, name)
  local t, last = m.tensors[name or ""], m.layers[#m.layers]
  if not t then return false end
  if not last or last.bias or last.activation or not is_row(t.shape, last.units) then
    return false
  end
  last.bias = t
  return true
end

local reads = {}

function reads.Gemm(m, node)
  local a = node.attributes
  if (a.transA or 0) ~= 0 or (a.alpha or 1) ~= 1 or (a.beta or 1) ~= 1 then
    err.raise("%s: Gemm '%s' has transA, alpha or beta", m.where, node.name)
  end
  add_dense(m, matrix(m, node, 2), a.transB == 1)
  if (node.inputs[3] or "") ~= "" and not set_bias(m, node.inputs[3]) then
    err.raise("%s: the bias of Gemm '%s' is no list of %d numbers", m.where, node.name,
      m.columns)
  end
end

function reads.MatMul(m, node) add_dense(m, matrix(m, node, 2)) end

function reads.Add(m, node)
  if not set_bias(m, node.inputs[2]) and not set_bias(m, node.inputs[1]) then
    err.raise("%s: Add '%s' adds no bias", m.where, node.name)
  end
end

local function add_activation(m, name, layer)
  if name == "linear" then return end
  local last = m.layers[#m.layers]
  if last and last.units and not last.activation and name then
    last.activation = name
  else
    m.layers[#m.layers + 1] = {activation = name, layer = layer}
  end
end

local function number(m, node, key, default)
  local v = node.attributes[key]
  if v == nil then return default end
  return type(v) == "number" and v
    or err.raise("%s: %s of %s '%s' is no number", m.where, key, node.op, node.name)
end

function reads.LeakyRelu(m, node)
  local alpha = number(m, node, "alpha", 0.01)
  add_activation(m, nil, function() return require("nnlua.layers").LeakyReLU{alpha} end)
end

function reads.Elu(m, node)
  local alpha = number(m, node, "alpha", 1.0)
  add_activation(m, nil, function() return require("nnlua.layers").ELU{alpha = alpha} end)
end

-- Rows are samples, so the axis of these is the second one.
local with_axis = {Softmax = true, LogSoftmax = true, Flatten = true}

local function read_activation(m, node)
  local axis = with_axis[node.op] and number(m, node, "axis", 1) or 1
  if axis ~= 1 and (axis ~= -1 or node.op == "Flatten") then
    err.raise("%s: %s '%s' has the axis %s, expected 1", m.where, node.op, node.name,
      tostring(axis))
  end
  add_activation(m, activations[node.op])
end

local function read_node(m, node, from)
  local read = reads[node.op] or activations[node.op] and read_activation
  if not read or (node.domain ~= "" and node.domain ~= "ai.onnx") then
    err.raise("%s: the operator '%s' cannot be read", m.where, node.op)
  end
  if node.op ~= "Add" and node.inputs[1] ~= from then
    err.raise("%s: %s '%s' takes the data as another than its first input", m.where, node.op,
      node.name)
  end
  read(m, node)
end

-- Tensors by name: the initializers, and what Constant nodes give. The other nodes are the chain.
local function split(m)
  m.tensors, m.chain = {}, {}
  for _, t in ipairs(m.graph.tensors) do m.tensors[t.name] = t end
  for _, node in ipairs(m.graph.nodes) do
    local t = node.op == "Constant" and node.attributes.value
    if type(t) == "table" and t.at and node.outputs[1] then
      m.tensors[node.outputs[1]] = t
    else
      m.chain[#m.chain + 1] = node
    end
  end
end

-- The nodes from the input on, each taking what the one before gives.
local function walk(m)
  local users = {}
  for _, node in ipairs(m.chain) do
    for _, name in ipairs(node.inputs) do
      if name ~= "" and not m.tensors[name] then
        if users[name] then
          err.raise("%s: '%s' goes to several nodes; only chains are read", m.where, name)
        end
        users[name] = node
      end
    end
  end
  local at, steps = m.input.name, 0
  while users[at] and steps <= #m.chain do
    local node = users[at]
    read_node(m, node, at)
    at, steps = node.outputs[1], steps + 1
  end
  local output = m.graph.outputs[1]
  if steps ~= #m.chain or #m.graph.outputs ~= 1 or output.name ~= at then
    err.raise("%s: the graph is no chain of nodes", m.where)
  end
end

local function build(m)
  local nn_layers = require "nnlua.layers"
  local list = {require("nnlua.keras_tensor").Input{shape = {m.first}}}
  for _, l in ipairs(m.layers) do
    list[#list + 1] = l.layer and l.layer()
      or not l.units and nn_layers.Activation{l.activation}
      or nn_layers.Dense{l.units, activation = l.activation, use_bias = l.bias ~= nil}
  end
  local model, weights = require("nnlua.sequential")(list), {}
  for _, l in ipairs(m.layers) do
    if l.kernel then
      local kernel = values(m, l.kernel)
      weights[#weights + 1] = l.turned and core.apply("transpose", {kernel}, {1, 0}) or kernel
      if l.bias then weights[#weights + 1] = core.reshape(values(m, l.bias), {l.units}) end
    end
  end
  model:set_weights(weights)
  return model
end

--- The MLP of a file as a Sequential model.
function onnx.load_model(path, options)
  local file <close> = core.onnx.open(path, options.limits)
  local m = {file = file, graph = file:graph(), layers = {}, where = "load_model: " .. path}
  split(m)
  for _, v in ipairs(m.graph.inputs) do
    if not m.tensors[v.name] then
      if m.input then err.raise("%s: the graph has several inputs", m.where) end
      m.input = v
    end
  end
  if not m.input then err.raise("%s: the graph has no input", m.where) end
  walk(m)
  if not m.first then err.raise("%s: the graph has no Gemm and no MatMul", m.where) end
  return build(m)
end

return onnx
