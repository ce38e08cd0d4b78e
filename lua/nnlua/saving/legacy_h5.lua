-- Legacy .h5 of whole models: the configuration in attributes, weights by layer name, the
-- optimizer's variables by theirs. Layers are matched by order, with by_name by name.

local core = require "nnlua.core"
local assets = require "nnlua.saving.assets"
local err = require "nnlua.err"
local objects = require "nnlua.saving.objects"
local own_names = require("nnlua.names").own
local put = require "nnlua.saving.put"
local rebuild = require "nnlua.saving.rebuild"
local shapes = require "nnlua.shapes"
local store = require "nnlua.saving.store"
local terminal = require "nnlua.terminal"
local version = require "nnlua.saving.version"
local writer = require "nnlua.saving.behind"

local format = {}

-- reading ----------------------------------------------------------------------------------------

local function child(node, path)
  for part in path:gmatch "[^/]+" do
    if not node then return nil end
    if not node.by_name then
      node.by_name = {}
      for _, one in ipairs(node.children or {}) do node.by_name[one.name] = one end
    end
    node = node.by_name[part]
  end
  return node
end

local function is_names(v)
  return type(v) == "table" and (v[1] == nil or type(v[1]) == "string") and v or nil
end

-- A list of names; long ones are split into name0, name1 ...
local function names_of(node, key)
  local list = is_names(node.attributes[key])
  if list then return list end
  list = {}
  for i = 0, math.huge do
    local part = is_names(node.attributes[key .. i])
    if not part then return i > 0 and list or nil end
    table.move(part, 1, #part, #list + 1, list)
  end
end

local function open(path, where, limits)
  local file = core.hdf5.open(path, limits)
  local root = file:tree()
  version.check(root.attributes[version.key], where)
  local weights = child(root, "model_weights")
  local base = weights and "model_weights/" or ""
  weights = weights or root
  if not names_of(weights, "layer_names") then
    err.raise("%s: the file has no attribute layer_names", where)
  end
  return {file = file, root = root, weights = weights, base = base, where = where}
end

-- No group and no data set is listed twice: a list of short names may repeat a long one.
local function once(f, list, node, what)
  if list[node] then err.raise("%s: %s is listed twice", f.where, what) end
  list[node] = true
end

-- {{path=, shape=, name=}, ...} of the data sets that weight_names lists.
local function data_sets(f, node, base, seen)
  local list = {}
  seen = seen or {}
  for i, name in ipairs(names_of(node, "weight_names") or {}) do
    local found = child(node, name)
    if not found or found.kind ~= "dataset" then
      err.raise("%s: %s%s is missing", f.where, base, name)
    end
    once(f, seen, found, base .. name)
    list[i] = {path = base .. name, shape = found.shape, bytes = found.bytes or 0, name = name}
  end
  return list
end

-- {{name=, weights=}, ...} of the saved layers.
local function saved_layers(f)
  local list, groups, sets = {}, {}, {}
  for _, name in ipairs(names_of(f.weights, "layer_names")) do
    local node = child(f.weights, name)
    if not node then err.raise("%s: the group of layer '%s' is missing", f.where, name) end
    once(f, groups, node, "layer '" .. name .. "'")
    list[#list + 1] = {name = name,
      weights = data_sets(f, node, f.base .. name .. "/", sets)}
  end
  return list
end

-- A layer's variables in the order of the file: all trainable ones first.
local function layer_variables(layer)
  local list = {}
  for _, wanted in ipairs {true, false} do
    for _, v in ipairs(layer.weights) do
      if v.trainable == wanted then list[#list + 1] = v end
    end
  end
  return list
end

local function layers_of(model)
  if model.nodes or model.list then return model.layers end
  return model:ordered_sublayers()
end

local function complain(plan, options, fmt, ...)
  local text = fmt:format(...)
  if not options.skip_mismatch then err.raise("%s", text) end
  plan.warnings[#plan.warnings + 1] = text
end

local function plan_layer(plan, f, layer, saved, options)
  if store.skipped(layer, options) then return end
  local variables = layer_variables(layer)
  if #variables ~= #saved.weights then
    return complain(plan, options, "%s: layer '%s' (%s) has %d variables, '%s' in the file has %d",
      f.where, layer.name, layer.class_name, #variables, saved.name, #saved.weights)
  end
  for i, v in ipairs(variables) do
    local d = saved.weights[i]
    if not shapes.same(d.shape, v.shape) then
      complain(plan, options, "%s: %s (%s of layer '%s') is %s in the file, expected %s", f.where,
        d.path, v.name, layer.name, shapes.text(d.shape), shapes.text(v.shape))
    else
      plan.writes[#plan.writes + 1] = {v, d.path}
    end
  end
end

local function with_weights(list, count)
  local out = {}
  for _, one in ipairs(list) do if count(one) > 0 then out[#out + 1] = one end end
  return out
end

local function plan_by_order(plan, f, model, saved, options)
  local own = with_weights(layers_of(model), function(l) return #l.weights end)
  saved = with_weights(saved, function(s) return #s.weights end)
  if #own ~= #saved then
    err.raise("%s: the model has %d layers with weights, the file %d", f.where, #own, #saved)
  end
  for i, layer in ipairs(own) do plan_layer(plan, f, layer, saved[i], options) end
end

local function plan_by_name(plan, f, model, saved, options)
  local index = {}
  for _, layer in ipairs(layers_of(model)) do index[layer.name] = layer end
  for _, s in ipairs(saved) do
    if index[s.name] then plan_layer(plan, f, index[s.name], s, options) end
  end
end

local function plan_top(plan, f, model, options)
  local node = child(f.weights, "top_level_model_weights")
  if not node and options.whole and #model.own_weights > 0 then
    err.raise("%s: the weights of the model itself are missing", f.where)
  end
  if not node or #model.own_weights == 0 then return end
  local saved = {name = "top_level_model_weights",
    weights = data_sets(f, node, f.base .. "top_level_model_weights/")}
  local own = {weights = model.own_weights, name = model.name, class_name = model.class_name}
  plan_layer(plan, f, own, saved, options)
end

local function plan_optimizer(plan, f, model)
  local node, optimizer = child(f.root, "optimizer_weights"), model.optimizer
  if not node or not optimizer then return end
  local saved = data_sets(f, node, "optimizer_weights/")
  if #saved == 0 then return end
  if not optimizer.built then optimizer:build(model.trainable_variables) end
  local own, writes = optimizer.variables, {}
  for i, v in ipairs(own) do
    if #own ~= #saved or not shapes.same(saved[i].shape, v.shape) then
      plan.warnings[#plan.warnings + 1] = ("%s: the file's %d variables of an optimizer do not fit "
        .. "%s; they are left out"):format(f.where, #saved, optimizer.class_name)
      return
    end
    writes[i] = {v, saved[i].path}
  end
  table.move(writes, 1, #writes, #plan.writes + 1, plan.writes)
end

local function load(f, model, options)
  local plan, saved = {writes = {}, warnings = {}}, saved_layers(f)
  local run = options.by_name and plan_by_name or plan_by_order
  run(plan, f, model, saved, options)
  plan_top(plan, f, model, options)
  if not options.no_optimizer then plan_optimizer(plan, f, model) end
  for _, w in ipairs(plan.writes) do w[2] = f.file:read(w[2]) end
  put.write(plan.writes, f.where)
  for _, text in ipairs(plan.warnings) do terminal.warn(text) end
end

function format.load_weights(model, path, options)
  local f = open(path, "load_weights: " .. path, options.limits)
  put.guarded(model.optimizer, load, f, model, options)
  f.file:close()
end

local function weight_bytes(f)
  local total = 0
  for _, layer in ipairs(saved_layers(f)) do
    for _, d in ipairs(layer.weights) do total = total + d.bytes end
  end
  local top = child(f.weights, "top_level_model_weights")
  for _, d in ipairs(top and data_sets(f, top, "") or {}) do total = total + d.bytes end
  return total
end

-- training_config in the form of compile_config.
local function compile_config(root, path, limits)
  local text = root.attributes.training_config
  if type(text) ~= "string" then return nil end
  local c = core.json.decode(text, path .. ": training_config", limits)
  if type(c) ~= "table" then return nil end
  c.optimizer = c.optimizer_config
  return c
end

function format.load_model(path, options)
  local where = "load_model: " .. path
  local file = core.hdf5.open(path, options.limits)
  local root = file:tree()
  local text = root.attributes.model_config
  if type(text) ~= "string" then
    err.raise("%s: the file has no attribute model_config: it holds no whole model", where)
  end
  file:close()
  local object = core.json.decode(text, path .. ": model_config", options.limits)
  if type(object) ~= "table" then err.raise("%s: model_config is no object", where) end
  object.compile_config = compile_config(root, path, options.limits)
  local f = open(path, where, options.limits)
  local model = rebuild.build(object, options, weight_bytes(f), where)
  assets.none(model, where)
  if model.built or #model.weights > 0 then
    load(f, model, {no_optimizer = not options.compile, whole = true})
  end
  f.file:close()
  return model
end

-- writing ----------------------------------------------------------------------------------------

local json = core.json
local keras_version = "3.15.1"

local function copy(config)
  local out = {}
  for key, v in pairs(config) do out[key] = v end
  return out
end

-- Keras takes a text for a function of that name where it has one, and refuses Attention's
-- score_mode "dot" then; left out, it is "dot".
local function legacy_config(object)
  local config = copy(object.config)
  if object.class_name == "Attention" and config.score_mode == "dot" then
    config.score_mode = nil
  end
  return config
end

-- Layers are {class_name, config} in these files; objects inside their configs stay as they are.
local function legacy(object)
  local out = {class_name = own_names[object.class_name] or object.class_name,
    config = object.config, name = object.name, inbound_nodes = object.inbound_nodes}
  if type(object.config) ~= "table" then return out end
  out.config = legacy_config(object)
  if type(object.config.layers) == "table" then
    local layers = {}
    for i, layer in ipairs(object.config.layers) do layers[i] = legacy(layer) end
    out.config.layers = json.array(layers)
  end
  return out
end

local function text(items, path, name, value) items[#items + 1] = {"text", path, name, value} end

-- A list of names as an attribute; h5py's limit of 64 KiB an attribute splits long ones.
local function name_list(items, path, key, list)
  local bytes = 0
  for _, name in ipairs(list) do bytes = math.max(bytes, #name) end
  local pieces = math.max(1, math.ceil(#list * bytes / 64512), math.ceil(#list / 4000))
  if pieces == 1 then
    items[#items + 1] = {"texts", path, key, list}
    return
  end
  local size = math.ceil(#list / pieces)
  for k = 0, pieces - 1 do
    items[#items + 1] = {"texts", path, key .. k,
      table.move(list, k * size + 1, math.min(#list, (k + 1) * size), 1, {})}
  end
end

-- Variables under their paths; a path that occurs twice is numbered.
local function add_variables(items, base, variables)
  local names, seen = {}, {}
  items[#items + 1] = {"group", base}
  for i, v in ipairs(variables) do
    local path = v.path
    seen[path] = (seen[path] or -1) + 1
    if seen[path] > 0 then path = ("%s_%d"):format(path, seen[path]) end
    local t = v.tensor
    names[i] = path
    items[#items + 1] = {"tensor", base .. "/" .. path, t, t.dtype == "int32" and "int64" or nil}
  end
  name_list(items, base, "weight_names", names)
end

local function weight_items(items, model)
  local names = {}
  for i, layer in ipairs(layers_of(model)) do
    names[i] = layer.name
    add_variables(items, "model_weights/" .. layer.name, layer_variables(layer))
  end
  add_variables(items, "model_weights/top_level_model_weights", model.own_weights)
  name_list(items, "model_weights", "layer_names", names)
  text(items, "model_weights", "backend", "tensorflow")
  text(items, "model_weights", "keras_version", keras_version)
end

local function training_config(model)
  local config = require "nnlua.saving.config"
  local c = config.compile_config(model)
  if not c then return nil end
  local optimizer = c.optimizer
  c.optimizer = nil
  c.optimizer_config = {class_name = optimizer.class_name, config = optimizer.config}
  return c
end

-- behind: {previous=, spare=} gives a job, see src/lua/behind.h.
function format.save_model(model, path, behind)
  local config, items = require "nnlua.saving.config", {version.item()}
  text(items, "", "backend", "tensorflow")
  text(items, "", "keras_version", keras_version)
  local whole = objects.standing_alone(config.serialize_model, model)
  text(items, "", "model_config", json.encode(legacy(whole), true))
  local training = training_config(model)
  if training then text(items, "", "training_config", json.encode(training, true)) end
  weight_items(items, model)
  if model.optimizer and model.optimizer.built then
    add_variables(items, "optimizer_weights", model.optimizer.variables)
  end
  if not behind then return core.hdf5.save(path, items) end
  return writer.file(path, core.hdf5.block(items, true, behind.spare),
    behind.previous)
end

function format.save_weights(model, path, options)
  return format.save_model(model, path, options.behind)
end

return format
