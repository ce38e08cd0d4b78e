-- model:export("m.onnx"): ONNX, opset 17, with a free batch size; onnxruntime and others run it.

local core = require "nnlua.core"
local err = require "nnlua.err"
local Graph = require "nnlua.saving.onnx_graph"
local pb = require "nnlua.saving.protobuf"
local sizes = require "nnlua.saving.sizes"
local trace = require "nnlua.saving.trace"
local written = require "nnlua.saving.onnx_ops"

local format = {}

-- The name of a size that is a symbol as it is.
local function symbol_of(net, d)
  if not d.parts or d.plus ~= 0 then return nil end
  local s, times = next(d.parts)
  return times == 1 and next(d.parts, s) == nil and net.task.symbols[s].name or nil
end

local function value_info(net, name, value)
  local dims = {}
  for _, d in ipairs(value.shape) do
    local symbol = sizes.is(d) and symbol_of(net, d)
    local dim = symbol and pb.bytes(2, symbol) or sizes.is(d) and "" or pb.int(1, d)
    dims[#dims + 1] = pb.bytes(1, dim)
  end
  local tensor_type = pb.int(1, Graph.types[value.dtype]) .. pb.bytes(2, table.concat(dims))
  return pb.bytes(1, name) .. pb.bytes(2, pb.bytes(1, tensor_type))
end

local function write_node(g, n)
  g.current = n
  local truth = written.truths[n.op]
  if truth then
    g.bools[n.outputs[1]] = truth(g, n)
    return
  end
  local write = written.ops[n.op]
  if not write then trace.refuse(g.net, n) end
  local names = {write(g, n)}
  for i, v in ipairs(n.outputs) do g.of[v] = names[i] end
end

-- The outputs' names, which no input and no other output has, and a set of all.
local function output_names(net)
  local names, taken = {}, {}
  for _, name in ipairs(net.input_names) do taken[name] = true end
  for i, name in ipairs(net.output_names) do
    while taken[name] do name = name .. "_output" end
    names[i], taken[name] = name, true
  end
  return names, taken
end

--- The bytes of the ONNX file of a model.
function format.bytes(model, where)
  local net = trace.net(model, where, true)
  local names, taken = output_names(net)
  local g, infos = Graph.new(net, taken), {}
  for i, v in ipairs(net.inputs) do
    g.of[v] = net.input_names[i]
    infos[#infos + 1] = pb.bytes(11, value_info(net, net.input_names[i], net.values[v]))
  end
  for _, n in ipairs(net.nodes) do write_node(g, n) end
  for i, v in ipairs(net.outputs) do
    g:node("Identity", {g:get(v)}, nil, names[i])
    infos[#infos + 1] = pb.bytes(12, value_info(net, names[i], net.values[v]))
  end
  local graph = table.concat(g.nodes) .. pb.bytes(2, net.name) .. table.concat(g.initializers)
    .. table.concat(infos)
  return pb.int(1, 8) .. pb.bytes(2, "nnlua") .. pb.bytes(7, graph)
    .. pb.bytes(8, pb.bytes(1, "") .. pb.int(2, 17))
end

function format.export(model, path)
  local ok, message = core.sys.fsync_write(path, format.bytes(model, "export: " .. path))
  if not ok then err.raise("export: %s", message) end
end

return format
