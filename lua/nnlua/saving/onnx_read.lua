-- Reading ONNX: the graph of a file as plain tables, and MLPs (Gemm, or MatMul and Add, with
-- activations between them, one after the other) as Sequential models.

local core = require "nnlua.core"
local err = require "nnlua.err"
local pb = require "nnlua.saving.protobuf"

local onnx = {}

local MOST = 1 << 31 -- bytes of a file

-- messages ----------------------------------------------------------------------------------------

local types = {[1] = {"float32", "<f", 4}, [6] = {"int32", "<i4", 4}, [7] = {"int64", "<i8", 8},
  [11] = {"float64", "<d", 8}}

local function sub(r, first, last) return r.text:sub(first, last) end

local function unpack_numbers(r, t, first, last)
  local type_of = types[t.kind]
  local code, size = type_of[2], type_of[3]
  local count = (last - first + 1) // size
  if count * size ~= last - first + 1 or count ~= t.count then
    err.raise("%s: tensor '%s' has %d bytes, expected %d", r.where, t.name, last - first + 1,
      t.count * size)
  end
  local list = {}
  for i = 0, count - 1 do list[i + 1] = string.unpack(code, r.text, first + i * size) end
  return list
end

local function count_elements(r, t)
  local n = 1.0
  for _, d in ipairs(t.shape) do
    if d < 0 then err.raise("%s: tensor '%s' has a size of %d", r.where, t.name, d) end
    n = n * d
  end
  if n > #r.text then
    err.raise("%s: tensor '%s' asks for more numbers than the file has bytes", r.where, t.name)
  end
  return math.tointeger(n)
end

local fields_of_kind = {[1] = 4, [6] = 5, [7] = 7, [11] = 10}

local function read_values(r, t, raw, typed, ints)
  t.count = count_elements(r, t)
  if not types[t.kind] then
    err.raise("%s: tensor '%s' has the element type %s, which is not supported", r.where, t.name,
      tostring(t.kind))
  end
  t.dtype = types[t.kind][1]
  if raw then
    t.values = unpack_numbers(r, t, raw[1], raw[2])
  elseif t.kind == 6 or t.kind == 7 then
    t.values = ints
  elseif typed then
    t.values = unpack_numbers(r, t, typed[1], typed[2])
  else
    t.values = {}
  end
  if #t.values ~= t.count then
    err.raise("%s: tensor '%s' has %d numbers, expected %d", r.where, t.name, #t.values, t.count)
  end
end

local function read_tensor(r, first, last)
  local t, raw, typed, ints, external = {shape = {}, name = ""}, nil, nil, {}, false
  pb.each(r.text, first, last, r.where, function(number, v, a, b)
    if number == 1 then pb.add_ints(t.shape, r.text, v, a, b, r.where)
    elseif number == 2 then t.kind = v
    elseif number == 8 and a then t.name = sub(r, a, b)
    elseif number == 9 and a then raw = {a, b}
    elseif number == 14 then external = v ~= 0
    elseif number == 5 or number == 7 then pb.add_ints(ints, r.text, v, a, b, r.where)
    elseif number == fields_of_kind[t.kind or 1] and a then typed = {a, b} end
  end)
  if external then err.raise("%s: tensor '%s' is in another file", r.where, t.name) end
  read_values(r, t, raw, typed, ints)
  return t
end

local function read_attribute(r, first, last)
  local out = {ints = {}}
  pb.each(r.text, first, last, r.where, function(number, v, a, b)
    if number == 1 and a then out.name = sub(r, a, b)
    elseif number == 2 and a then out.value = string.unpack("<f", r.text, a)
    elseif number == 3 then out.value = v
    elseif number == 4 and a then out.value = sub(r, a, b)
    elseif number == 8 then pb.add_ints(out.ints, r.text, v, a, b, r.where) end
  end)
  return out
end

local function read_node(r, first, last)
  local n = {inputs = {}, outputs = {}, attributes = {}}
  pb.each(r.text, first, last, r.where, function(number, _, a, b)
    if not a then return end
    if number == 1 then n.inputs[#n.inputs + 1] = sub(r, a, b)
    elseif number == 2 then n.outputs[#n.outputs + 1] = sub(r, a, b)
    elseif number == 3 then n.name = sub(r, a, b)
    elseif number == 4 then n.op = sub(r, a, b)
    elseif number == 5 then
      local attribute = read_attribute(r, a, b)
      n.attributes[attribute.name or ""] = attribute.value or attribute.ints
    end
  end)
  return n
end

-- The first field `number` inside a message, as a place.
local function inner(r, first, last, number)
  local at, till
  if not first then return nil end
  pb.each(r.text, first, last, r.where, function(n, _, a, b)
    if n == number and a and not at then at, till = a, b end
  end)
  return at, till
end

local function read_value(r, first, last)
  local v = {shape = {}}
  local a, b = inner(r, first, last, 1)
  v.name = a and sub(r, a, b) or ""
  a, b = inner(r, first, last, 2) -- type
  a, b = inner(r, a, b, 1)        -- of a tensor
  a, b = inner(r, a, b, 2)        -- shape
  if not a then return v end
  pb.each(r.text, a, b, r.where, function(number, _, c, d)
    if number ~= 1 or not c then return end
    local size = false
    pb.each(r.text, c, d, r.where, function(n, value) if n == 1 and value then size = value end end)
    v.shape[#v.shape + 1] = size
  end)
  return v
end

local function read_graph(r, first, last)
  local g = {nodes = {}, tensors = {}, list = {}, inputs = {}, outputs = {}}
  pb.each(r.text, first, last, r.where, function(number, _, a, b)
    if not a then return end
    if number == 1 then
      g.nodes[#g.nodes + 1] = read_node(r, a, b)
    elseif number == 5 then
      local t = read_tensor(r, a, b)
      g.tensors[t.name], g.list[#g.list + 1] = t, t
    elseif number == 11 then
      g.inputs[#g.inputs + 1] = read_value(r, a, b)
    elseif number == 12 then
      g.outputs[#g.outputs + 1] = read_value(r, a, b)
    end
  end)
  return g
end

--- The graph of a file: nodes {op=, inputs=, outputs=, attributes=}, tensors by name, inputs,
--- outputs.
function onnx.open(path, limits)
  core.sys.exists(path) -- raises in a sandbox
  local file, why = io.open(path, "rb")
  if not file then err.raise("onnx: %s", why) end
  local size = file:seek "end"
  local most = limits and limits.bytes or MOST
  if size > most then
    file:close()
    err.raise("onnx: %s: %d bytes, more than the limit of %d", path, size, most)
  end
  file:seek "set"
  local text = file:read "a"
  file:close()
  local r = {text = text, where = "onnx: " .. path}
  local first, last = inner(r, 1, #text, 7)
  if not first then err.raise("onnx: %s: the file holds no graph", path) end
  return read_graph(r, first, last)
end

-- MLPs --------------------------------------------------------------------------------------------

local activations = {
  Relu = "relu", Sigmoid = "sigmoid", Tanh = "tanh", Softmax = "softmax",
  LogSoftmax = "log_softmax",
  Softplus = "softplus", Softsign = "softsign", Exp = "exponential", Selu = "selu",
  Identity = "linear", Dropout = "linear", Flatten = "linear",
}

local function transposed(t)
  local rows, columns, out = t.shape[1], t.shape[2], {}
  for j = 0, columns - 1 do
    for i = 0, rows - 1 do out[#out + 1] = t.values[i * columns + j + 1] end
  end
  return {shape = {columns, rows}, values = out}
end

local function matrix(m, node, k)
  local t = m.graph.tensors[node.inputs[k]]
  if not t or #t.shape ~= 2 then
    err.raise("%s: %s '%s' does not multiply by a matrix of the file", m.where, node.op,
      node.name or "")
  end
  return t
end

local function add_dense(m, kernel, bias)
  local known = m.columns
  if known and known ~= kernel.shape[1] then
    err.raise("%s: a matrix has %d rows, expected %d", m.where, kernel.shape[1], known)
  end
  m.columns = kernel.shape[2]
  m.first = m.first or kernel.shape[1]
  m.layers[#m.layers + 1] = {kernel = kernel, bias = bias, units = kernel.shape[2]}
end

local function set_bias(m, name)
  local t, last = m.graph.tensors[name or ""], m.layers[#m.layers]
  if not t then return false end
  if not last or last.bias or last.activation or t.count ~= last.units then return false end
  last.bias = t
  return true
end

local reads = {}

function reads.Gemm(m, node)
  local a = node.attributes
  if (a.transA or 0) ~= 0 or (a.alpha or 1) ~= 1 or (a.beta or 1) ~= 1 then
    err.raise("%s: Gemm '%s' has transA, alpha or beta", m.where, node.name or "")
  end
  local kernel = matrix(m, node, 2)
  add_dense(m, a.transB == 1 and transposed(kernel) or kernel)
  if node.inputs[3] and not set_bias(m, node.inputs[3]) then
    err.raise("%s: the bias of Gemm '%s' is no list of %d numbers", m.where, node.name or "",
      m.columns)
  end
end

function reads.MatMul(m, node) add_dense(m, matrix(m, node, 2)) end

function reads.Add(m, node)
  if not set_bias(m, node.inputs[2]) and not set_bias(m, node.inputs[1]) then
    err.raise("%s: Add '%s' adds no bias", m.where, node.name or "")
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

function reads.LeakyRelu(m, node)
  local alpha = node.attributes.alpha or 0.01
  add_activation(m, nil, function() return require("nnlua.layers").LeakyReLU{alpha} end)
end

function reads.Elu(m, node)
  local alpha = node.attributes.alpha or 1.0
  add_activation(m, nil, function() return require("nnlua.layers").ELU{alpha = alpha} end)
end

-- The nodes from the input on, each taking what the one before gives.
local function walk(m)
  local g, users = m.graph, {}
  for _, node in ipairs(g.nodes) do
    for _, name in ipairs(node.inputs) do
      if not g.tensors[name] then
        if users[name] then
          err.raise("%s: '%s' goes to several nodes; only chains are read", m.where, name)
        end
        users[name] = node
      end
    end
  end
  local at, steps = m.input.name, 0
  while users[at] and steps <= #g.nodes do
    local node = users[at]
    local read = reads[node.op]
    if read then read(m, node)
    elseif activations[node.op] then add_activation(m, activations[node.op])
    else err.raise("%s: the operator '%s' cannot be read", m.where, tostring(node.op)) end
    at, steps = node.outputs[1], steps + 1
  end
  if steps ~= #g.nodes then err.raise("%s: the graph is no chain of nodes", m.where) end
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
      weights[#weights + 1] = core.reshape(core.new(l.kernel.values, "float32"), l.kernel.shape)
      if l.bias then weights[#weights + 1] = core.new(l.bias.values, "float32") end
    end
  end
  model:set_weights(weights)
  return model
end

--- The MLP of a file as a Sequential model.
function onnx.load_model(path, options)
  local graph = onnx.open(path, options.limits)
  local m = {graph = graph, layers = {}, where = "load_model: " .. path}
  for _, v in ipairs(graph.inputs) do
    if not graph.tensors[v.name] then
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
