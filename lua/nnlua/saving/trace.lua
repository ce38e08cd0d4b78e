-- A model as the list of ops that predict runs, which other programs are written from (ONNX, C):
-- whatever a model is made of, layers, own Lua code or bare ops, is traced as fit traces it.
--
-- A net is {values=, nodes=, inputs=, outputs=, input_names=, output_names=, name=}. A value is
-- {shape=, dtype=, data=}; data is the tensor of a constant or weight, and of everything that
-- follows from those alone. A node is {op=, ints=, floats=, inputs=, outputs=}; inputs and outputs
-- are numbers in the list of values.
--
-- Sizes may follow the batch: traced at two sizes of it, a number that differs is a Size, `times`
-- the batch `plus` a number. `other` is what a constant was in the second trace.

local core = require "nnlua.core"
local autograd = require "nnlua.autograd"
local class = require "nnlua.class"
local err = require "nnlua.err"
local shapes = require "nnlua.shapes"
local tree = require "nnlua.tree"

local trace = {}

local Size = {}
Size.__index = Size

--- True for a number that follows the batch.
function trace.is_size(v) return getmetatable(v) == Size end

-- one trace ---------------------------------------------------------------------------------------

-- {shape=, dtype=} of every input, with false for the batch where it is free.
local function signature(model, where)
  local list = {}
  if model.flat_inputs then
    for i, t in ipairs(model.flat_inputs) do list[i] = {shape = t.shape, dtype = t.dtype} end
  elseif model.built_shape then
    local shape = model.built_shape
    for i, s in ipairs(type(shape[1]) == "table" and shape or {shape}) do
      list[i] = {shape = {false, table.unpack(s, 2)}, dtype = "float32"}
    end
  else
    err.raise("%s: the shape of the input of model '%s' is not known; call it once on a batch",
      where, model.name)
  end
  return list
end

local function names_of(model, key, count, word)
  local names = rawget(model, key)
  if names and #names == count then return names end
  names = {}
  for i = 1, count do names[i] = count == 1 and word or word .. "_" .. i end
  return names
end

local function feed(model, graph, signatures, batch, where)
  local list = {}
  for i, s in ipairs(signatures) do
    local shape = {s.shape[1] or batch}
    for d = 2, #s.shape do
      shape[d] = s.shape[d] or err.raise("%s: a size of layer '%s' is unknown: %s", where,
        model.input_names and model.input_names[i] or model.name, shapes.text(s.shape))
    end
    list[i] = core.input(graph, shape, s.dtype)
  end
  return list
end

local function run(model, batch, where)
  local signatures, list, outputs = signature(model, where), nil, nil
  local graph = autograd.record("trace", function(graph)
    list = feed(model, graph, signatures, batch, where)
    local x = #list == 1 and list[1] or list
    outputs = tree.flatten(model(x, {training = false}))
  end)
  local net = {inputs = {}, outputs = {}, name = model.name}
  for i, t in ipairs(list) do net.inputs[i] = core.place_of(graph, t) end
  for i, t in ipairs(outputs) do net.outputs[i] = core.place_of(graph, t) end
  net.values, net.nodes = core.contents(graph)
  net.input_names = names_of(model, "input_names", #list, "x")
  net.output_names = names_of(model, "output_names", #outputs, "y")
  return net
end

-- whose op it was ---------------------------------------------------------------------------------

local Layer

local function each_layer(layer, f, seen)
  if seen[layer] then return end
  seen[layer] = true
  f(layer)
  local function look(v)
    if class.is(v, Layer) then
      each_layer(v, f, seen)
    elseif type(v) == "table" and getmetatable(v) == nil then
      for _, one in pairs(v) do if class.is(one, Layer) then each_layer(one, f, seen) end end
    end
  end
  for _, v in pairs(layer) do look(v) end
end

-- The layer whose call, innermost, gave the value: a second trace with every call watched.
local function owner(model, batch, value, where)
  Layer = require "nnlua.layers.layer"
  local found, watched, graph = nil, {}, nil
  each_layer(model, function(layer)
    local call, own = layer.call, rawget(layer, "call")
    watched[#watched + 1] = {layer = layer, call = own}
    rawset(layer, "call", function(self, ...)
      local before = #(core.contents(graph))
      local y = call(self, ...)
      if not found and before < value and value <= #(core.contents(graph)) then found = layer end
      return y
    end)
  end, {})
  pcall(autograd.record, "trace", function(g)
    graph = g
    local list = feed(model, g, signature(model, where), batch, where)
    model(#list == 1 and list[1] or list, {training = false})
  end)
  for _, w in ipairs(watched) do rawset(w.layer, "call", w.call) end
  return found
end

local function draws(n) return n.op == "dropout" or n.op:find "^random" ~= nil end

--- Raises: the op of the node cannot be written. `why` says more.
function trace.refuse(net, node, why)
  local layer = owner(net.model, net.batch, node.first, net.where)
  local whose = layer and ("layer '%s' (%s)"):format(layer.name, layer.class_name)
    or ("model '%s'"):format(net.name)
  return err.raise("%s: %s cannot be exported: its op '%s' %s", net.where, whose, node.op,
    why or draws(node) and "draws random numbers" or "has no counterpart there")
end

-- two traces as one -------------------------------------------------------------------------------

local function join(a, b, batches)
  if a == b then return a end
  local times = (b - a) // (batches[2] - batches[1])
  return setmetatable({times = times, plus = a - times * batches[1]}, Size)
end

local function join_lists(a, b, batches)
  local out = {}
  for i = 1, math.max(#a, #b) do out[i] = join(a[i] or 0, b[i] or 0, batches) end
  return out
end

local function same_places(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do if a[i] ~= b[i] then return false end end
  return true
end

local function check_alike(a, b, where)
  local alike = #a.nodes == #b.nodes and #a.values == #b.values
    and same_places(a.outputs, b.outputs)
  for i = 1, alike and #a.nodes or 0 do
    local x, y = a.nodes[i], b.nodes[i]
    alike = alike and x.op == y.op and same_places(x.inputs, y.inputs)
  end
  for i = 1, alike and #a.values or 0 do
    alike = alike and #a.values[i].shape == #b.values[i].shape
  end
  if not alike then
    err.raise("%s: the ops of model '%s' change with the size of the batch", where, a.name)
  end
end

local function merge(a, b, batches, where)
  check_alike(a, b, where)
  for i, v in ipairs(a.values) do
    local w = b.values[i]
    v.shape = join_lists(v.shape, w.shape, batches)
    if v.data and not v.variable then v.other = w.data end
  end
  for i, n in ipairs(a.nodes) do
    n.other_ints = b.nodes[i].ints
    n.ints = join_lists(n.ints, n.other_ints, batches)
    for k, f in ipairs(n.floats) do
      if f ~= b.nodes[i].floats[k] and f == f then
        a.batch, a.where = batches[1], where
        n.first = n.outputs[1]
        trace.refuse(a, n, "has a number that changes with the size of the batch")
      end
    end
  end
  return a
end

-- tidying -----------------------------------------------------------------------------------------

local effects = {assign = true, assign_add = true, track_mean = true}

local function drop_unused(net)
  local used, kept = {}, {}
  for _, v in ipairs(net.outputs) do used[v] = true end
  for i = #net.nodes, 1, -1 do
    local n = net.nodes[i]
    n.first = n.outputs[1]
    local wanted = effects[n.op]
    for _, v in ipairs(n.outputs) do wanted = wanted or used[v] end
    if wanted then
      table.insert(kept, n)
      for _, v in ipairs(n.inputs) do used[v] = true end
    end
  end
  net.nodes = {}
  for i = #kept, 1, -1 do table.insert(net.nodes, kept[i]) end
end

local function all_data(net, n, key)
  local list = {}
  for i, v in ipairs(n.inputs) do
    local value = net.values[v]
    local t = key == "other" and value.other or value.data
    if not t then return nil end
    list[i] = t
  end
  return #list > 0 and list or nil
end

local function fold_one(net, n, list)
  local results = {core.apply(n.op, list, n.plain_ints, n.floats)}
  for i, v in ipairs(n.outputs) do net.values[v].data = results[i] end
  local differs
  for _, v in ipairs(n.inputs) do differs = differs or net.values[v].other end
  for _, v in ipairs(n.outputs) do
    for _, d in ipairs(net.values[v].shape) do differs = differs or trace.is_size(d) end
  end
  if not (differs and n.other_ints) then return end
  results = {core.apply(n.op, all_data(net, n, "other"), n.other_ints, n.floats)}
  for i, v in ipairs(n.outputs) do net.values[v].other = results[i] end
end

-- What follows from constants and weights alone is computed now.
local function fold(net)
  local kept = {}
  for _, n in ipairs(net.nodes) do
    local list = not effects[n.op] and not draws(n) and all_data(net, n)
    if list then fold_one(net, n, list) else kept[#kept + 1] = n end
  end
  net.nodes = kept
end

local function check_effects(net)
  for _, n in ipairs(net.nodes) do
    if effects[n.op] then trace.refuse(net, n, "keeps something from call to call") end
  end
end

--- The net of a model traced at one size of the batch, or at two. where: begins error texts.
function trace.net(model, where, batch, second)
  local net = run(model, batch, where)
  for _, n in ipairs(net.nodes) do n.plain_ints = n.ints end
  if second then net = merge(net, run(model, second, where), {batch, second}, where) end
  net.model, net.batch, net.where = model, batch, where
  drop_unused(net)
  check_effects(net)
  fold(net)
  return net
end

--- The numbers of a tensor in order.
function trace.flat(t) return core.reshape(core.astype(t, "float32"), {t.size}):totable() end

return trace
