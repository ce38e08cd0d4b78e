-- A model as the list of ops that predict runs, which other programs are written from (ONNX, C):
-- whatever a model is made of, layers, own Lua code or bare ops, is traced as fit traces it.
--
-- A net is {values=, nodes=, inputs=, outputs=, input_names=, output_names=, name=}. A value is
-- {shape=, dtype=, data=}; data is the tensor of a constant or weight, and of everything that
-- follows from those alone. A node is {op=, ints=, floats=, inputs=, outputs=}; inputs and outputs
-- are numbers in the list of values.
--
-- Sizes that are open (sizes.lua) are Sizes in shapes and ints; `other` is what a constant was in
-- the last trace.

local core = require "nnlua.core"
local autograd = require "nnlua.autograd"
local class = require "nnlua.class"
local err = require "nnlua.err"
local sizes = require "nnlua.saving.sizes"
local tree = require "nnlua.tree"

local trace = {}

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

-- What is traced: the model, its inputs with their open sizes, and the names of both ends.
local function task_of(model, where, shared)
  local inputs = signature(model, where)
  local names = names_of(model, "input_names", #inputs, "x")
  return {model = model, where = where, inputs = inputs, names = names,
    symbols = sizes.symbols(inputs, names, shared)}
end

local function feed(task, graph, choice)
  local list = {}
  for i, input in ipairs(task.inputs) do
    local shape = {}
    for d = 1, #input.shape do shape[d] = input.shape[d] or choice[input.open[d]] end
    list[i] = core.input(graph, shape, input.dtype)
  end
  return list, #list == 1 and list[1] or list
end

local function run(task, choice)
  local model, list, outputs = task.model, nil, nil
  local graph = autograd.record("trace", function(graph)
    local x
    list, x = feed(task, graph, choice)
    outputs = tree.flatten(model(x, {training = false}))
  end)
  local net = {inputs = {}, outputs = {}, name = model.name, task = task, choice = choice}
  for i, t in ipairs(list) do net.inputs[i] = core.place_of(graph, t) end
  for i, t in ipairs(outputs) do net.outputs[i] = core.place_of(graph, t) end
  net.values, net.nodes = core.contents(graph)
  net.input_names = task.names
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
local function owner(net, value)
  Layer = require "nnlua.layers.layer"
  local found, watched, graph = nil, {}, nil
  each_layer(net.task.model, function(layer)
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
    local _, x = feed(net.task, g, net.choice)
    net.task.model(x, {training = false})
  end)
  for _, w in ipairs(watched) do rawset(w.layer, "call", w.call) end
  return found
end

local function draws(n) return n.op == "dropout" or n.op:find "^random" ~= nil end

--- Raises: the op of the node cannot be written. `why` says more.
function trace.refuse(net, node, why)
  local layer = owner(net, node.first)
  local whose = layer and ("layer '%s' (%s)"):format(layer.name, layer.class_name)
    or ("model '%s'"):format(net.name)
  return err.raise("%s: %s cannot be exported: its op '%s' %s", net.task.where, whose, node.op,
    why or draws(node) and "draws random numbers" or "has no counterpart there")
end

-- several traces as one ---------------------------------------------------------------------------

local function same_places(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do if a[i] ~= b[i] then return false end end
  return true
end

local function check_alike(a, b)
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
    err.raise("%s: the ops of model '%s' change with sizes that are not fixed (batch%s)",
      a.task.where, a.name, #a.task.symbols > 1 and ", and what Input leaves open" or "")
  end
end

-- The lists that get(net) gives, place by place.
local function join_lists(nets, get)
  local out, lists = {}, {}
  for k, net in ipairs(nets) do lists[k] = get(net) end
  for i = 1, #lists[1] do
    local numbers = {}
    for k, list in ipairs(lists) do numbers[k] = list[i] end
    out[i] = sizes.join(numbers, nets[1].task.symbols)
  end
  return out
end

local function check_floats(net, n, last)
  for k, f in ipairs(n.floats) do
    if f ~= last.floats[k] and f == f then
      n.first = n.outputs[1]
      trace.refuse(net, n, "has a number that changes with sizes that are not fixed")
    end
  end
end

local function merge(nets)
  local net, last = nets[1], nets[#nets]
  for k = 2, #nets do check_alike(net, nets[k]) end
  for i, v in ipairs(net.values) do
    if v.data and not v.variable then v.other = last.values[i].data end
  end
  local joined = {}
  for i in ipairs(net.values) do
    joined[i] = join_lists(nets, function(one) return one.values[i].shape end)
  end
  for i, v in ipairs(net.values) do v.shape = joined[i] end
  for i, n in ipairs(net.nodes) do
    check_floats(net, n, last.nodes[i])
    n.other_ints, n.plain_ints = last.nodes[i].ints, n.ints
    n.ints = join_lists(nets, function(one) return one.nodes[i].plain_ints or one.nodes[i].ints end)
  end
  return net
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
    differs = differs or sizes.any(net.values[v].shape)
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

local function all_traces(task)
  local nets = {}
  for i, choice in ipairs(sizes.trials(task.symbols)) do nets[i] = run(task, choice) end
  return merge(nets)
end

-- Inputs whose axes have to agree cannot be traced with sizes of their own.
local function traced_open(model, where)
  local task = task_of(model, where, false)
  local ok, net = pcall(all_traces, task)
  if ok then return net end
  local shared = task_of(model, where, true)
  if #shared.symbols == #task.symbols then error(net, 0) end
  return all_traces(shared)
end

local function traced_row(model, where)
  local task = task_of(model, where, true)
  local net = run(task, sizes.one_row(task.symbols, task.inputs, task.names, where))
  for _, n in ipairs(net.nodes) do n.plain_ints = n.ints end
  return net
end

--- The net of a model for one row, or with all sizes open that its inputs leave open. where: begins
--- error texts.
function trace.net(model, where, open)
  local net = open and traced_open(model, where) or traced_row(model, where)
  drop_unused(net)
  check_effects(net)
  fold(net)
  return net
end

--- The numbers of a tensor in order.
function trace.flat(t) return core.reshape(core.astype(t, "float32"), {t.size}):totable() end

return trace
