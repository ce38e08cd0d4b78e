-- Weights as Keras's files hold them: groups `layers/dense/vars` of numbered data sets.
--
-- A plan says which data set goes into which variable; all shapes are compared, then all values
-- are read, and only then the first one is written, so a load that fails changes nothing.

local core = require "nnlua.core"
local err = require "nnlua.err"
local put = require "nnlua.saving.put"
local shapes = require "nnlua.shapes"
local terminal = require "nnlua.terminal"
local version = require "nnlua.saving.version"
local walk = require "nnlua.saving.walk"

local store = {}

-- reading ----------------------------------------------------------------------------------------

local function add_group(s, path, node)
  local group = {name = node.attributes.name, count = 0, at = {}, path = path}
  for _, child in ipairs(node.children) do
    if child.kind == "dataset" then
      group.at[child.name] = {shape = child.shape, path = path .. "/" .. child.name,
        bytes = child.bytes or 0}
      group.count = group.count + 1
    end
  end
  s.groups[path] = group
  s.order[#s.order + 1] = path
end

local function add_groups(s, node, path)
  for _, child in ipairs(node.children) do
    if child.kind == "group" and not (path == "" and child.name == "training_state") then
      -- files of the first Keras 3 versions
      local name = child.name == "_layer_checkpoint_dependencies" and "layers" or child.name
      local at = path == "" and name or path .. "/" .. name
      if name == "vars" then add_group(s, at, child) else add_groups(s, child, at) end
      if name ~= child.name then s.renamed = true end
    end
  end
end

--- A store from an HDF5 file that is open. where: begins error texts.
function store.from_hdf5(file, where)
  local s, tree = {where = where, groups = {}, order = {}}, file:tree()
  version.check(tree.attributes[version.key], where)
  add_groups(s, tree, "")
  function s.read(path)
    if s.renamed and not file:read(path) then
      path = path:gsub("^layers", "_layer_checkpoint_dependencies"):gsub("/layers/",
        "/_layer_checkpoint_dependencies/")
    end
    return file:read(path) or err.raise("%s: no values at %s", where, path)
  end
  return s
end

--- A store from {["layers/dense/vars/0"] = tensor}.
function store.from_tensors(values, where)
  local s = {where = where, groups = {}, order = {}}
  for path, t in pairs(values) do
    local group, name = path:match("^(.*)/([^/]*)$")
    if group then
      if not s.groups[group] then
        s.groups[group] = {count = 0, at = {}, path = group}
        s.order[#s.order + 1] = group
      end
      local g = s.groups[group]
      g.at[name], g.count = {shape = t.shape, path = path, bytes = t.size * 4}, g.count + 1
    end
  end
  table.sort(s.order)
  function s.read(path) return values[path] end
  return s
end

--- Bytes of all weights that are not the optimizer's.
function store.weight_bytes(s)
  local total = 0
  for path, group in pairs(s.groups) do
    if not path:find "^optimizer/" then
      for _, d in pairs(group.at) do total = total + d.bytes end
    end
  end
  return total
end

-- planning ---------------------------------------------------------------------------------------

local function complain(plan, options, fmt, ...)
  local text = fmt:format(...)
  if not options.skip_mismatch then err.raise("%s", text) end
  plan.warnings[#plan.warnings + 1] = text
end

local function describe(object)
  return ("%s '%s' (%s)"):format(object.is_model and "model" or "layer", object.name,
    object.class_name)
end

local function plan_object(plan, s, object, group, options)
  local variables, writes = walk.variables(object), {}
  local count = group and group.count or 0
  if object.file_variables then count = group and #variables or 0 end
  if #variables == 0 and count == 0 then return end
  if count ~= #variables then
    complain(plan, options, "%s: %s has %d variables, the file holds %d%s", s.where,
      describe(object), #variables, count, group and " in " .. group.path or "")
    return
  end
  for i, v in ipairs(variables) do
    local d = group.at[tostring(i - 1)]
    if not d then
      complain(plan, options, "%s: no %s/%d (%s of %s)", s.where, group.path, i - 1, v.name,
        describe(object))
      return
    elseif not shapes.same(d.shape, v.shape) then
      complain(plan, options, "%s: %s (%s of %s) is %s in the file, expected %s", s.where, d.path,
        v.name, describe(object), shapes.text(d.shape), shapes.text(v.shape))
      return
    end
    writes[i] = {v, d.path}
  end
  table.move(writes, 1, #writes, #plan.writes + 1, plan.writes)
end

local function skipped(object, options)
  for _, one in ipairs(options.objects_to_skip or {}) do
    if one == object then return true end
  end
  return false
end

store.skipped = skipped

-- by_name: groups by the name of their object
local function named_groups(s)
  local by_name = {}
  for _, path in ipairs(s.order) do
    local name = s.groups[path].name
    if name and not path:find "^optimizer/" then by_name[name] = s.groups[path] end
  end
  return by_name
end

local function warn_unused(plan, s, used)
  for _, path in ipairs(s.order) do
    if not used[path] and s.groups[path].count > 0 and not path:find "^optimizer/" then
      local text = "%s: nothing in the model is called %s; left out"
      plan.warnings[#plan.warnings + 1] = text:format(s.where, (path:gsub("/?vars$", "")))
      return
    end
  end
end

local function plan_weights(plan, s, model, options)
  local by_name, used = options.by_name and named_groups(s), {}
  for _, entry in ipairs(walk.objects(model)) do
    local path = walk.vars(entry.path)
    local group = s.groups[path]
    if by_name then group = by_name[entry.object.name] end
    used[group and group.path or path] = true
    if not skipped(entry.object, options) and (group or not by_name) then
      plan_object(plan, s, entry.object, group, options)
    end
  end
  if not by_name then warn_unused(plan, s, used) end
end

local function plan_optimizer(plan, s, model)
  local optimizer, group = model.optimizer, s.groups["optimizer/vars"]
  if not optimizer or not group or group.count == 0 then return end
  if not optimizer.built then optimizer:build(model.trainable_variables) end
  local own = optimizer.variables
  if #own ~= group.count then
    plan.warnings[#plan.warnings + 1] = ("%s: the file holds %d variables of an optimizer, %s has "
      .. "%d; they are left out"):format(s.where, group.count, optimizer.class_name, #own)
    return
  end
  local writes = {}
  for i, v in ipairs(own) do
    local d = group.at[tostring(i - 1)]
    if not d or not shapes.same(d.shape, v.shape) then
      plan.warnings[#plan.warnings + 1] = ("%s: optimizer/vars/%d (%s) is %s in the file, expected "
        .. "%s; the optimizer's variables are left out"):format(s.where, i - 1, v.name,
        d and shapes.text(d.shape) or "missing", shapes.text(v.shape))
      return
    end
    writes[i] = {v, d.path}
  end
  table.move(writes, 1, #writes, #plan.writes + 1, plan.writes)
end

-- What layers keep beside their weights: functions that put it in place.
local function file_variables(s, model)
  local list = {}
  for _, entry in ipairs(walk.objects(model)) do
    if entry.object.load_file_variables then
      local group = s.groups[walk.vars(entry.path)]
      list[#list + 1] = entry.object:load_file_variables(function(name)
        return group and group.at[name] and s.read(group.at[name].path)
      end)
    end
  end
  return list
end

local function load(s, model, options)
  local plan = {writes = {}, warnings = {}}
  plan_weights(plan, s, model, options)
  if not options.no_optimizer then plan_optimizer(plan, s, model) end
  for _, w in ipairs(plan.writes) do w[2] = s.read(w[2]) end
  local more = file_variables(s, model)
  put.write(plan.writes, s.where)
  for _, set in ipairs(more) do set() end
  for _, text in ipairs(plan.warnings) do terminal.warn(text) end
end

--- Reads weights and, where the model is compiled, the optimizer's variables.
--- options: skip_mismatch, by_name, objects_to_skip, no_optimizer.
function store.load(s, model, options) put.guarded(model.optimizer, load, s, model, options) end

-- writing ----------------------------------------------------------------------------------------

local function tensor_of(v) return core.is_tensor(v) and v or v.tensor end

local function add_variables(items, path, object, variables)
  items[#items + 1] = {"group", path}
  if type(object.name) == "string" then items[#items + 1] = {"text", path, "name", object.name} end
  for i, v in ipairs(variables) do
    local t = tensor_of(v)
    items[#items + 1] = {"tensor", ("%s/%d"):format(path, i - 1), t,
      t.dtype == "int32" and "int64" or nil} -- counters, as Keras writes them
  end
end

--- What stands in model.weights.h5, as core.hdf5 takes it.
function store.items(model)
  local items = {}
  for _, entry in ipairs(walk.objects(model)) do
    local path = walk.vars(entry.path)
    add_variables(items, path, entry.object, walk.variables(entry.object))
    if entry.object.file_variables then
      for name, t in pairs(entry.object:file_variables()) do
        items[#items + 1] = {"tensor", path .. "/" .. name, t}
      end
    end
  end
  for _, entry in ipairs(walk.optimizers(model)) do
    add_variables(items, walk.vars(entry.path), entry.object, entry.object.variables)
  end
  return items
end

return store
