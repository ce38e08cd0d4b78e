-- model:export("m.onnx"): ONNX, opset 17, with a free batch size; onnxruntime and others run it.

local core = require "nnlua.core"
local err = require "nnlua.err"
local lower = require "nnlua.saving.lower"
local pb = require "nnlua.saving.protobuf"

local format = {}

local FLOAT, INT64 = 1, 7

-- pieces of the file ------------------------------------------------------------------------------

local function packed(list, code)
  local parts = {}
  for i = 1, #list, 128 do
    local last = math.min(#list, i + 127)
    parts[#parts + 1] = string.pack("<" .. code:rep(last - i + 1), table.unpack(list, i, last))
  end
  return table.concat(parts)
end

local function tensor(name, dims, list, kind)
  local out = {}
  for _, d in ipairs(dims) do out[#out + 1] = pb.int(1, d) end
  out[#out + 1] = pb.int(2, kind)
  out[#out + 1] = pb.bytes(8, name)
  out[#out + 1] = pb.bytes(9, packed(list, kind == FLOAT and "f" or "i8"))
  return table.concat(out)
end

local function constant(self, dims, list, kind)
  self.constants = self.constants + 1
  local name = "w" .. self.constants
  self.initializers[#self.initializers + 1] = pb.bytes(5, tensor(name, dims, list, kind or FLOAT))
  return name
end

local function scalar(self, v) return constant(self, {}, {v}) end

local function attribute(name, v)
  local body
  if type(v) == "table" then
    local list = {}
    for i, one in ipairs(v) do list[i] = pb.int(8, one) end
    body = table.concat(list) .. pb.int(20, 7)
  elseif math.type(v) == "integer" then
    body = pb.int(3, v) .. pb.int(20, 2)
  else
    body = pb.float(2, v) .. pb.int(20, 1)
  end
  return pb.bytes(5, pb.bytes(1, name) .. body)
end

-- Adds a node; gives the name of its output.
local function node(self, op, inputs, attributes, output)
  self.names = self.names + 1
  output = output or "t" .. self.names
  local parts, keys = {}, {}
  for _, name in ipairs(inputs) do parts[#parts + 1] = pb.bytes(1, name) end
  parts[#parts + 1] = pb.bytes(2, output)
  parts[#parts + 1] = pb.bytes(3, op:lower() .. "_" .. self.names)
  parts[#parts + 1] = pb.bytes(4, op)
  for key in pairs(attributes or {}) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do parts[#parts + 1] = attribute(key, attributes[key]) end
  self.nodes[#self.nodes + 1] = pb.bytes(1, table.concat(parts))
  return output
end

local function value_info(name, shape, kind)
  local dims = {pb.bytes(1, pb.bytes(2, "batch"))}
  for _, d in ipairs(shape) do dims[#dims + 1] = pb.bytes(1, pb.int(1, d)) end
  local tensor_type = pb.int(1, kind) .. pb.bytes(2, table.concat(dims))
  return pb.bytes(1, name) .. pb.bytes(2, pb.bytes(1, tensor_type))
end

-- activations -------------------------------------------------------------------------------------

local simple = {
  sigmoid = "Sigmoid", tanh = "Tanh", exponential = "Exp", softplus = "Softplus",
  softsign = "Softsign", selu = "Selu",
}

local function clip(self, x, low, high)
  return node(self, "Clip", {x, scalar(self, low), scalar(self, high)})
end

local function hard_sigmoid(self, x)
  return node(self, "HardSigmoid", {x}, {alpha = 1 / 6, beta = 0.5})
end

local acts = {}

function acts.relu(self, x, step)
  if (step.threshold or 0) ~= 0 then err.raise("%s: a ReLU with a threshold", self.where) end
  local y = (step.alpha or 0) == 0 and node(self, "Relu", {x})
    or node(self, "LeakyRelu", {x}, {alpha = step.alpha * 1.0})
  return step.ceiling and node(self, "Min", {y, scalar(self, step.ceiling)}) or y
end

function acts.leaky_relu(self, x, step)
  return node(self, "LeakyRelu", {x}, {alpha = (step.alpha or 0.2) * 1.0})
end
function acts.elu(self, x, step)
  return node(self, "Elu", {x}, {alpha = (step.alpha or 1) * 1.0})
end
function acts.celu(self, x) return node(self, "Celu", {x}, {alpha = 1.0}) end
function acts.relu6(self, x) return clip(self, x, 0, 6) end
function acts.hard_tanh(self, x) return clip(self, x, -1, 1) end
acts.hard_sigmoid = hard_sigmoid
function acts.silu(self, x) return node(self, "Mul", {x, node(self, "Sigmoid", {x})}) end
function acts.hard_silu(self, x) return node(self, "Mul", {x, hard_sigmoid(self, x)}) end
function acts.mish(self, x)
  return node(self, "Mul", {x, node(self, "Tanh", {node(self, "Softplus", {x})})})
end
function acts.tanh_shrink(self, x) return node(self, "Sub", {x, node(self, "Tanh", {x})}) end
function acts.log_sigmoid(self, x)
  return node(self, "Neg", {node(self, "Softplus", {node(self, "Neg", {x})})})
end
function acts.gelu(self, x)
  local e = node(self, "Erf", {node(self, "Mul", {x, scalar(self, math.sqrt(0.5))})})
  local half = node(self, "Mul", {x, scalar(self, 0.5)})
  return node(self, "Mul", {half, node(self, "Add", {e, scalar(self, 1)})})
end
function acts.squareplus(self, x)
  local root = node(self, "Sqrt", {node(self, "Add", {node(self, "Mul", {x, x}), scalar(self, 4)})})
  return node(self, "Mul", {node(self, "Add", {x, root}), scalar(self, 0.5)})
end
acts.swish, acts.hard_swish = acts.silu, acts.hard_silu

-- steps -------------------------------------------------------------------------------------------

local steps = {}

function steps.dense(self, step, x)
  local kernel = constant(self, {step.columns, step.units}, step.kernel)
  local bias = step.bias and constant(self, {step.units}, step.bias)
  if #step.inputs[1].shape == 1 then return node(self, "Gemm", {x, kernel, bias}) end
  local y = node(self, "MatMul", {x, kernel})
  return bias and node(self, "Add", {y, bias}) or y
end

function steps.act(self, step, x)
  if simple[step.name] then return node(self, simple[step.name], {x}) end
  local make = acts[step.name]
  if not make then
    err.raise("%s: the activation '%s' cannot be exported", self.where, step.name)
  end
  return make(self, x, step)
end

function steps.softmax(self, step, x)
  return node(self, step.log and "LogSoftmax" or "Softmax", {x}, {axis = -1})
end

function steps.affine(self, step, x)
  local y = node(self, "Mul", {x, constant(self, {#step.scale}, step.scale)})
  return node(self, "Add", {y, constant(self, {#step.offset}, step.offset)})
end

local function ones(n)
  local list = {}
  for i = 1, n do list[i] = 1 end
  return list
end

function steps.layernorm(self, step, x)
  local n = step.output.shape[#step.output.shape]
  if step.kind == "unit" then
    local sum = node(self, "ReduceSumSquare", {x}, {axes = {-1}, keepdims = 1})
    local root = node(self, "Sqrt", {node(self, "Add", {sum, scalar(self, step.epsilon)})})
    return node(self, "Div", {x, root})
  end
  local gamma = constant(self, {n}, step.gamma or ones(n))
  if step.kind == "layer" then
    local beta = step.beta and constant(self, {n}, step.beta)
    return node(self, "LayerNormalization", {x, gamma, beta},
      {axis = -1, epsilon = step.epsilon * 1.0})
  end
  local mean = node(self, "ReduceMean", {node(self, "Mul", {x, x})}, {axes = {-1}, keepdims = 1})
  local root = node(self, "Sqrt", {node(self, "Add", {mean, scalar(self, step.epsilon)})})
  return node(self, "Mul", {node(self, "Div", {x, root}), gamma})
end

local merges = {add = "Sum", subtract = "Sub", multiply = "Mul", average = "Mean", maximum = "Max",
  minimum = "Min"}

function steps.merge(self, step)
  local op, list = merges[step.kind], {}
  for i, v in ipairs(step.inputs) do list[i] = self.of[v.id] end
  if op ~= "Mul" and op ~= "Sub" then return node(self, op, list) end
  local y = list[1]
  for i = 2, #list do y = node(self, op, {y, list[i]}) end
  return y
end

function steps.concat(self, step)
  local list = {}
  for i, v in ipairs(step.inputs) do list[i] = self.of[v.id] end
  return node(self, "Concat", list, {axis = step.axis})
end

function steps.reshape(self, step, x)
  local shape = {0, table.unpack(step.output.shape)} -- 0 keeps the batch's size
  return node(self, "Reshape", {x, constant(self, {#shape}, shape, INT64)})
end

function steps.permute(self, step, x)
  return node(self, "Transpose", {x}, {perm = {0, table.unpack(step.dims)}})
end

function steps.repeat_vector(self, step, x)
  local y = node(self, "Unsqueeze", {x, constant(self, {1}, {1}, INT64)})
  return node(self, "Tile", {y, constant(self, {3}, {1, step.count, 1}, INT64)})
end

function steps.embedding(self, step, x)
  local ids = node(self, "Cast", {x}, {to = INT64})
  return node(self, "Gather", {constant(self, {step.rows, step.columns}, step.table), ids},
    {axis = 0})
end

function steps.prelu(self, step, x)
  local shape = step.output.shape
  return node(self, "PRelu", {x, constant(self, {1, table.unpack(shape)}, step.alpha)})
end

-- ONNX has channels first: transposed, computed, transposed back.
local function channels_first(self, x, rank, compute)
  local there, back = {0, rank + 1}, {0}
  for i = 1, rank do there[i + 2], back[i + 1] = i, i + 1 end
  back[rank + 2] = 1
  local y = compute(node(self, "Transpose", {x}, {perm = there}))
  return node(self, "Transpose", {y}, {perm = back})
end

local function joined(a, b) return table.move(b, 1, #b, #a + 1, table.move(a, 1, #a, 1, {})) end

-- From (axes..., channels, filters) to (filters, channels, axes...).
local function kernel_first(step)
  local places, part = 1, step.channels // step.groups
  for _, n in ipairs(step.size) do places = places * n end
  local list = {}
  for o = 0, step.filters - 1 do
    for i = 0, part - 1 do
      for k = 0, places - 1 do
        list[#list + 1] = step.kernel[(k * part + i) * step.filters + o + 1]
      end
    end
  end
  return list, joined({step.filters, part}, step.size)
end

function steps.conv(self, step, x)
  local list, dims = kernel_first(step)
  local kernel = constant(self, dims, list)
  local bias = step.bias and constant(self, {step.filters}, step.bias)
  return channels_first(self, x, step.rank, function(t)
    return node(self, "Conv", {t, kernel, bias}, {kernel_shape = step.size, strides = step.strides,
      dilations = step.dilation, group = step.groups, pads = joined(step.before, step.after)})
  end)
end

function steps.pool(self, step, x)
  return channels_first(self, x, step.rank, function(t)
    return node(self, step.kind == "max" and "MaxPool" or "AveragePool", {t}, {
      kernel_shape = step.size, strides = step.strides, pads = joined(step.before, step.after)})
  end)
end

function steps.global_pool(self, step, x)
  local axes = {}
  for i = 1, step.rank do axes[i] = i end
  return node(self, step.kind == "max" and "ReduceMax" or "ReduceMean", {x}, {axes = axes,
    keepdims = 0})
end

-- the file ----------------------------------------------------------------------------------------

--- The bytes of the ONNX file of a model.
function format.bytes(model, where)
  local net = lower.model(model, where)
  local self = {where = where, nodes = {}, initializers = {}, constants = 0, names = 0, of = {}}
  local infos = {}
  for i, v in ipairs(net.inputs) do
    self.of[v.id] = net.input_names[i]
    infos[#infos + 1] = pb.bytes(11, value_info(net.input_names[i], v.shape,
      v.dtype == "int32" and 6 or FLOAT))
  end
  for _, step in ipairs(net.steps) do
    self.of[step.output.id] = steps[step.op](self, step, self.of[step.inputs[1].id])
  end
  local taken = {}
  for _, name in ipairs(net.input_names) do taken[name] = true end
  for i, v in ipairs(net.outputs) do
    local name = net.output_names[i]
    while taken[name] do name = name .. "_output" end
    taken[name] = true
    node(self, "Identity", {self.of[v.id]}, nil, name)
    infos[#infos + 1] = pb.bytes(12, value_info(name, v.shape, FLOAT))
  end
  local graph = table.concat(self.nodes) .. pb.bytes(2, net.name)
    .. table.concat(self.initializers) .. table.concat(infos)
  return pb.int(1, 8) .. pb.bytes(2, "nnlua") .. pb.bytes(7, graph)
    .. pb.bytes(8, pb.bytes(1, "") .. pb.int(2, 17))
end

function format.export(model, path)
  local ok, message = core.sys.fsync_write(path, format.bytes(model, "export: " .. path))
  if not ok then err.raise("export: %s", message) end
end

return format
