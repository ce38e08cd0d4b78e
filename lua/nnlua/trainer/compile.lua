-- compile: optimizer, losses and metrics as given, resolved against the outputs when the first data
-- shows their shapes.

local core = require "nnlua.core"
local class = require "nnlua.class"
local err = require "nnlua.err"
local tree = require "nnlua.tree"

local compile = {}

local None = require("nnlua.args").None

local signature = require("nnlua.args").signature("compile", [[optimizer="rmsprop", loss=None,
  loss_weights=None, metrics=None, weighted_metrics=None, run_eagerly=False, steps_per_execution=1,
  jit_compile="auto", auto_scale_loss=True]])

compile.signature = signature

--- Stores what compile was given; strings of optimizers become new objects.
function compile.run(model, a)
  local optimizers = require "nnlua.optimizers"
  local steps = a.steps_per_execution
  if math.tointeger(steps) == nil or steps < 1 then
    err.raise("compile: steps_per_execution is %s, expected an integer above 0", err.show(steps))
  end
  compile.check_names(model, a)
  rawset(model, "optimizer", optimizers.get(a.optimizer))
  rawset(model, "compiled_with", a)
  rawset(model, "run_eagerly", a.run_eagerly or false)
  rawset(model, "resolved", nil)
  rawset(model, "plans", nil)
  rawset(model, "loss_tracker", require("nnlua.metrics").Mean{name = "loss"})
  return model
end

-- Misspelt names are reported by compile, before any data is seen.
function compile.check_names(_, a)
  local losses, metrics = require "nnlua.losses", require "nnlua.metrics"
  local function check(v, namespace, special)
    if type(v) == "string" then
      if not special[v:lower()] then namespace.get(v) end
    elseif type(v) == "table" and getmetatable(v) == nil and not v.class_name then
      for _, one in pairs(v) do check(one, namespace, special) end
    end
  end
  local ok, e = pcall(function()
    check(a.loss, losses, {crossentropy = true, ce = true})
    local by_shape = {accuracy = true, acc = true, crossentropy = true, ce = true}
    check(a.metrics, metrics, by_shape)
    check(a.weighted_metrics, metrics, by_shape)
  end)
  if not ok then
    local text = err.text(e)
    err.raise("compile: %s", (text:gsub("^compile: ", "")))
  end
end

-- outputs ----------------------------------------------------------------------------------------

-- Names of the outputs, in order: the dict's keys, or those of the layers that made them.
local function output_names(model, y_pred)
  local flat = tree.flatten(y_pred)
  if not tree.is_leaf(y_pred) and y_pred[1] == nil then return tree.keys(y_pred) end
  if model.output_names and #model.output_names == #flat then return model.output_names end
  local names = {}
  for i = 1, #flat do names[i] = #flat == 1 and "output" or ("output_%d"):format(i) end
  return names
end

-- A per-output list from what was given: one for all, a list by position or a table by name.
local function per_output(v, names, what)
  local out, n = {}, #names
  if v == nil then return out end
  local is_table = type(v) == "table" and getmetatable(v) == nil and not v.class_name
  if not is_table then
    if n == 1 then
      out[1] = v
    elseif what == "loss_weights" then
      err.raise("compile: loss_weights is one number, the model has %d outputs", n)
    else
      for i = 1, n do out[i] = v end
    end
  elseif v[1] == nil and next(v) ~= nil and type(next(v)) == "string" then
    local index = {}
    for i, name in ipairs(names) do index[name] = i end
    for key, one in pairs(v) do
      if not index[key] then
        err.raise("compile: %s names the output '%s'; the outputs are %s", what, tostring(key),
          table.concat(names, ", "))
      end
      if one ~= None then out[index[key]] = one end
    end
  else
    for i = 1, n do if v[i] ~= None then out[i] = v[i] end end
    if n == 1 and #v > 1 then
      err.raise("compile: %s is a list of %d, the model has 1 output", what, #v)
    end
  end
  return out
end

local function flatten_list(v, out)
  if type(v) == "table" and getmetatable(v) == nil and not v.class_name then
    for _, one in ipairs(v) do flatten_list(one, out) end
  else
    out[#out + 1] = v
  end
  return out
end

local function metrics_per_output(v, names, what)
  if v == nil then return {} end
  local out = {}
  if #names == 1 and not (type(v) == "table" and getmetatable(v) == nil and v[1] == nil
    and type(next(v)) == "string" and not v.class_name) then
    out[1] = flatten_list(v, {})
    return out
  end
  if type(v) == "table" and getmetatable(v) == nil and v[1] ~= nil and #v ~= #names then
    err.raise("compile: %s is a list of %d, the model has %d outputs", what, #v, #names)
  end
  for i, one in pairs(per_output(v, names, what)) do out[i] = flatten_list(one, {}) end
  return out
end

-- resolving --------------------------------------------------------------------------------------

-- "accuracy" and "crossentropy" by the shapes of labels and predictions.
local function kind_by_shape(y, p)
  local t, q = y.shape, p.shape
  if q[#q] == 1 then return "binary" end
  if #t < #q or (t[#t] == 1 and q[#q] > 1) then return "sparse_categorical" end
  return "categorical"
end

local function resolve_loss(id, y, p)
  local losses = require "nnlua.losses"
  if type(id) == "string" and (id:lower() == "crossentropy" or id:lower() == "ce") then
    id = kind_by_shape(y, p) .. "_crossentropy"
  end
  local loss = losses.get(id)
  if type(loss) == "function" then
    loss = losses.wrap(loss, type(id) == "string" and id or nil)
  elseif class.is_class(loss) then
    loss = loss()
  end
  return loss
end

local function resolve_metric(id, y, p)
  local metrics = require "nnlua.metrics"
  if type(id) == "string" then
    local lower = id:lower()
    local name
    if lower == "accuracy" or lower == "acc" then
      name = kind_by_shape(y, p) .. "_accuracy"
    elseif lower == "crossentropy" or lower == "ce" then
      name = kind_by_shape(y, p) .. "_crossentropy"
    end
    return metrics.for_compile(name or id, id)
  end
  return metrics.for_compile(id)
end

local function unique_key(used, key, weighted, prefix, name)
  if used[key] and weighted then key = prefix .. "weighted_" .. name end
  local base, n = key, 0
  while used[key] do
    n = n + 1
    key = ("%s_%d"):format(base, n)
  end
  used[key] = true
  return key
end

local function resolve_metrics(list, per, weighted, names, ys, ps, used)
  for i = 1, #names do
    local prefix = #names > 1 and names[i] .. "_" or ""
    for _, id in ipairs(per[i] or {}) do
      local ok, metric = pcall(resolve_metric, id, ys[i], ps[i])
      if not ok then
        err.raise("compile: %s", err.text(metric))
      end
      local key = unique_key(used, prefix .. metric.name, weighted, prefix, metric.name)
      list[#list + 1] = {metric = metric, output = i, weighted = weighted, key = key, id = id}
    end
  end
end

--- Losses, metrics and their keys for data of these shapes; cached until the next compile.
---@return table resolved {losses, weights, metrics, trackers, names}
function compile.resolve(model, y, y_pred)
  if model.resolved then return model.resolved end
  local a = model.compiled_with
  local names = output_names(model, y_pred)
  local ps, ys = tree.flatten(y_pred), compile.match_targets(y, y_pred, names)
  local r = {names = names, losses = {}, weights = {}, metrics = {}, trackers = {}}
  local given = per_output(a.loss, names, "loss")
  local weights = per_output(a.loss_weights, names, "loss_weights")
  local count = 0
  for i = 1, #names do
    if given[i] ~= nil then
      r.losses[i] = resolve_loss(given[i], ys[i] or ps[i], ps[i])
      r.weights[i] = weights[i] or 1
      count = count + 1
    end
  end
  if count > 1 then
    for i = 1, #names do
      if r.losses[i] then
        r.trackers[#r.trackers + 1] = {output = i, key = names[i] .. "_loss",
          metric = require("nnlua.metrics").Mean{name = names[i] .. "_loss"}}
      end
    end
  end
  r.count = count
  local used = {loss = true}
  resolve_metrics(r.metrics, metrics_per_output(a.metrics, names, "metrics"), false, names, ys, ps,
    used)
  resolve_metrics(r.metrics, metrics_per_output(a.weighted_metrics, names, "weighted_metrics"),
    true, names, ys, ps, used)
  rawset(model, "resolved", r)
  return r
end

compile.per_output, compile.kind_by_shape = per_output, kind_by_shape

--- Targets as a flat list in the outputs' order.
function compile.match_targets(y, y_pred, names)
  if y == nil then return {} end
  if core.is_tensor(y) or tree.is_leaf(y) then return {y} end
  if y[1] == nil then
    local list = {}
    for i, name in ipairs(names) do
      if y[name] == nil and tree.is_leaf(y_pred) == false and y_pred[1] == nil then
        err.raise("fit: y has no '%s'", name)
      end
      list[i] = y[name]
    end
    return list
  end
  return tree.flatten(y)
end

--- Sample weights as a flat list in the outputs' order: one for all, or the structure of y.
function compile.match_weights(w, names)
  local list = {}
  if w == nil then return list end
  for i, name in ipairs(names) do
    if core.is_tensor(w) then list[i] = w
    elseif w[1] == nil then list[i] = w[name]
    else list[i] = w[i] end
  end
  return list
end

return compile
