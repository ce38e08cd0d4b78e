-- The paths under which Keras keeps a model's objects in a file: `layers/dense_1` for the second
-- Dense of a container, the field's name for a layer that a layer or an own model holds. An object
-- that is met twice stands at its first path.

local class = require "nnlua.class"
local names = require "nnlua.names"
local Layer = require "nnlua.layers.layer"

local walk = {}

-- Fields of layers and models that are the library's own business.
local internal = {
  sublayers = true, own_weights = true, free_config = true, inbound_nodes = true, list = true,
  layer_list = true, input_layer = true, inputs_as_given = true, outputs_as_given = true,
  flat_inputs = true, flat_outputs = true, nodes = true, node_depth = true, plans = true,
  plan_variables = true, after_plan = true, compiled_with = true, resolved = true, history = true,
  loss_tracker = true, optimizer = true, built_shape = true, signature = true,
}

local function is_layer(v) return class.is(v, Layer) end

local function holds_layers(v)
  if type(v) ~= "table" or getmetatable(v) ~= nil then return false end
  for _, one in pairs(v) do
    if is_layer(one) or holds_layers(one) then return true end
  end
  return false
end

local function sorted_fields(object)
  local list = {}
  for key, v in next, object do
    if type(key) == "string" and not internal[key] and (is_layer(v) or holds_layers(v)) then
      list[#list + 1] = key
    end
  end
  table.sort(list, function(a, b)
    local under_a, under_b = a:sub(1, 1) == "_", b:sub(1, 1) == "_"
    if under_a ~= under_b then return under_b end
    return a < b
  end)
  return list
end

local function join(path, name) return path == "" and name or path .. "/" .. name end

-- The name of an object in a container: snake case of the class, numbered.
local function numbered(used, name)
  local n = used[name]
  used[name] = (n or -1) + 1
  return n and ("%s_%d"):format(name, used[name]) or name
end

local visit

local function visit_container(list, path, out, seen)
  local used = {}
  local keys = require("nnlua.tree").keys(list)
  for _, key in ipairs(keys) do
    local v = list[key]
    if is_layer(v) and v.is_operation then
      seen[v] = true -- no layer in Keras's files
    elseif is_layer(v) then
      visit(v, join(path, numbered(used, names.snake_case(v.class_name))), out, seen)
    elseif holds_layers(v) then
      visit_container(v, join(path, numbered(used, "container")), out, seen)
    end
  end
end

function visit(object, path, out, seen)
  if seen[object] or object.is_operation then return end
  seen[object] = true
  out[#out + 1] = {path = path, object = object}
  if object.is_model and (object.nodes or object.list) then
    visit_container(object.layers, join(path, "layers"), out, seen)
  end
  for _, key in ipairs(sorted_fields(object)) do
    local v = rawget(object, key)
    if is_layer(v) then
      visit(v, join(path, key), out, seen)
    else
      visit_container(v, join(path, key), out, seen)
    end
  end
  local rest = {}
  for _, sub in ipairs(object:ordered_sublayers()) do
    if not seen[sub] then rest[#rest + 1] = sub end
  end
  if #rest > 0 then visit_container(rest, join(path, "layers"), out, seen) end
end

--- {{path=, object=}, ...}: the model itself has the path "".
function walk.objects(model)
  local out = {}
  visit(model, "", out, {})
  return out
end

--- An object's own variables in the order of the file: trainable ones first.
function walk.variables(object)
  local list = {}
  for _, wanted in ipairs {true, false} do
    for _, v in ipairs(object.own_weights) do
      if v.trainable == wanted then list[#list + 1] = v end
    end
  end
  return list
end

--- {{path=, object=}, ...} of the optimizer and those inside it; empty before it is built.
function walk.optimizers(model)
  local out, path, optimizer = {}, "optimizer", model.optimizer
  while optimizer and optimizer.built do
    out[#out + 1] = {path = path, object = optimizer}
    optimizer, path = rawget(optimizer, "inner_optimizer"), path .. "/inner_optimizer"
  end
  return out
end

--- "layers/dense/vars"
function walk.vars(path) return join(path, "vars") end

return walk
