-- Builds what a training case describes: data, model, compile arguments, callbacks.

local nn = require "nnlua"
local core = require "nnlua.core"
local values = require "spec.conformance.values"

local build = {}

-- data
-- ---------------------------------------------------------------------------------------------

local function range(t, dim, r)
  if not r or r == values.null then return t end
  local ranges = {}
  ranges[dim] = {r[1] + 1, r[2]}
  return core.view(t, ranges)
end

local cache = setmetatable({}, {__mode = "k"})

local function lookup(ref, context)
  local set, field = ref:match("^(.-)/(.+)$")
  for _, s in ipairs(context.data.sets) do
    if s.id == set or s.name == set then
      local v = (s.fields or s)[field]
      cache[v] = cache[v] or values.tensor(v)
      return cache[v]
    end
  end
  local s = context.data.sets[set]
  local v = (s.fields or s)[field]
  cache[v] = cache[v] or values.tensor(v)
  return cache[v]
end

local function reference(v, context)
  local t = range(range(lookup(v.ref, context), 1, v.rows), 2, v.cols)
  t = core.astype(t)
  if v.reshape then
    local shape, known, rest = {}, 1, nil
    for i, n in ipairs(v.reshape) do
      shape[i] = n
      if n == -1 then rest = i else known = known * n end
    end
    if rest then shape[rest] = t.size // known end
    t = core.reshape(t, shape)
  end
  return t
end

--- A reference, an inline tensor, or a list or table of them.
function build.data(v, context)
  if v == nil or v == values.null then return nil end
  if values.is_tensor(v) then return values.tensor(v) end
  if v.ref then return reference(v, context) end
  local out = {}
  for key, one in pairs(v) do out[key] = build.data(one, context) end
  return out
end

-- models
-- -------------------------------------------------------------------------------------------

local function layer_config(config)
  local c = values.config(config)
  for _, key in ipairs {"layer", "cell", "backward_layer", "forward_layer"} do
    local inner = config[key]
    if type(inner) == "table" and inner.class_name then c[key] = build.layer(inner) end
  end
  return c
end

function build.layer(spec)
  if spec.class_name == "Sequential" then
    return build.model{type = "sequential", layers = spec.config.layers, name = spec.config.name}
  elseif spec.class_name == "Functional" or spec.class_name == "Model" then
    return build.model(spec.config)
  end
  if spec.class_name == "Input" or spec.class_name == "InputLayer" then
    return nn.Input(values.config(spec.config, "plain"))
  end
  return nn.layers[spec.class_name](layer_config(spec.config))
end

-- The model gets its name before its layers do, as in the scripts that made the cases.
local function sequential(m)
  local model = nn.Sequential{name = m.name}
  for _, spec in ipairs(m.layers) do
    model:add(spec.type and build.model(spec) or build.layer(spec))
  end
  return model
end

local function gather(names, of)
  local out = {}
  for i, name in ipairs(names) do out[i] = of[name] end
  return #out == 1 and out[1] or out
end

local function named(names, of)
  local out = {}
  for _, name in ipairs(names) do out[name] = of[name] end
  return out
end

local function functional(m)
  local made, layers = {}, {}
  for _, node in ipairs(m.nodes) do
    if node.class_name == "Input" then
      made[node.id] = nn.Input(values.config(node.config, "plain"))
    else
      local layer = node.layer_of and layers[node.layer_of]
        or (node.model and build.model(node.model)) or build.layer(node)
      layers[node.id] = layer
      local inputs = gather(node.inputs, made)
      made[node.id] = layer(inputs)
    end
  end
  local inputs = m.named_inputs and named(m.inputs, made) or gather(m.inputs, made)
  local outputs = m.named_outputs and named(m.outputs, made) or gather(m.outputs, made)
  return nn.Model{inputs = inputs, outputs = outputs, name = m.name}
end

function build.model(m)
  return m.type == "functional" and functional(m) or sequential(m)
end

function build.set_initial(model, case)
  if not model.built and case.data then
    local shape = case.initial_weights and case.initial_weights[1]
    error("the model is not built; first weight " .. tostring(shape and shape.shape[1]))
  end
  if not case.initial_weights then return end
  local list = {}
  for i, w in ipairs(case.initial_weights) do list[i] = values.tensor(w) end
  model:set_weights(list)
end

-- which parts do not exist yet
-- -----------------------------------------------------------------------

local function missing_layers(specs)
  for _, spec in ipairs(specs) do
    local name = spec.class_name
    if name == "Bidirectional" or name == "TimeDistributed" then
      local inner = spec.config and spec.config.layer
      if inner then
        local m = missing_layers{inner}
        if m then return m end
      end
    end
    if name and name ~= "Input" and name ~= "InputLayer" and name ~= "Sequential"
      and name ~= "Functional" and not nn.layers[name] then
      return ("no keras.layers.%s yet"):format(name)
    end
    if spec.layers or (spec.config and spec.config.layers) then
      local m = missing_layers(spec.layers or spec.config.layers)
      if m then return m end
    end
  end
end

--- "no keras.layers.Conv2D yet" when the case needs a layer that there is not.
function build.missing(case)
  return missing_layers(case.model.layers or case.model.nodes or {})
end

-- compile and fit
-- ------------------------------------------------------------------------------------

function build.compile(c)
  return values.config(c)
end

local function class_weight(v)
  local out = {}
  for key, weight in pairs(v) do out[math.tointeger(tonumber(key))] = weight end
  return out
end

--- Arguments of fit or evaluate, with positions counted from 1.
function build.fit_arguments(fit, context)
  local out = {}
  for key, v in pairs(fit) do
    if v == values.null then v = nil end
    if key == "class_weight" and v then v = class_weight(v)
    elseif key == "initial_epoch" then v = v + 1
    elseif key == "sample_weight" or key == "x" or key == "y" then v = build.data(v, context)
    elseif key == "validation_data" and v then
      v = {x = build.data(v.x or v[1], context), y = build.data(v.y or v[2], context),
        sample_weight = build.data(v.sample_weight or v[3], context)}
    end
    out[key] = v
  end
  return out
end

-- single calls
-- -----------------------------------------------------------------------------------------

local function paths(list)
  local out = {}
  for i, v in ipairs(list) do out[i] = v.path end
  return out
end

local calls = {}
function calls.counts(model)
  return {trainable = paths(model.trainable_variables),
    non_trainable = paths(model.non_trainable_variables), all = paths(model.weights),
    count_params = model:count_params()}
end
function calls.set_trainable(model, a) model.layers[a.layer + 1].trainable = a.value end
function calls.compile(model, _, case) model:compile(build.compile(case.compile)) end
function calls.call(model, a) return model(a.x, {training = a.training}) end
function calls.get_weights(model) return model:get_weights() end
function calls.reset_metrics(model) model:reset_metrics() end
function calls.metrics_names(model) return model.metrics_names end
function calls.fit(model, a)
  a.verbose = 0
  return model:fit(a).history
end
function calls.predict_on_batch(model, a) return model:predict_on_batch(a.x) end

function build.call(model, call, context, case)
  local a = build.fit_arguments(call.args or {}, context)
  if calls[call.op] then return calls[call.op](model, a, case) end
  if call.op == "evaluate" or call.op == "predict" then a.verbose = 0 end
  return model[call.op](model, a)
end

-- callbacks
-- --------------------------------------------------------------------------------------------

local function schedule(s)
  if type(s) ~= "table" then return s end
  if s.table then return function(epoch) return s.table[epoch] end end
  return function(_, lr) return lr * s.multiply end
end

local function stop_at(config, model)
  return {
    on_epoch_end = config.epoch and function(_, epoch)
      if epoch == config.epoch + 1 then model.stop_training = true end
    end or nil,
    on_train_batch_end = config.batch and function(_, batch)
      if batch == config.batch + 1 then model.stop_training = true end
    end or nil,
  }
end

local hooks = require("nnlua.callbacks.callback").HOOKS

local function recorder(config)
  local calls_made, r = {}, {}
  for _, hook in ipairs(hooks) do
    if hook ~= "on_batch_begin" and hook ~= "on_batch_end" then
      local indexed = hook:find "epoch" or hook:find "batch"
      r[hook] = function(_, a, b)
        local logs = indexed and b or a
        local entry = {hook = hook, index = indexed and a - 1 or nil}
        local keys, copy = {}, {}
        for _, key in ipairs(require("nnlua.logs").keys(logs)) do
          keys[#keys + 1] = key
          copy[key] = logs[key]
        end
        if config.values and #keys > 0 and not hook:find "predict" then entry.logs = copy
        else entry.keys = keys end
        calls_made[#calls_made + 1] = entry
      end
    end
  end
  return r, calls_made
end

function build.callbacks(case, model, folder)
  local list, recorders = {}, {calls = {}, list = {}}
  for i, spec in ipairs(case.callbacks or {}) do
    if spec.class_name == "StopAt" then
      list[i] = stop_at(spec.config, model)
    elseif spec.class_name == "Recorder" then
      list[i], recorders.calls[i] = recorder(spec.config)
      recorders.list[#recorders.list + 1] = list[i]
    else
      local config = values.config(spec.config)
      for _, key in ipairs {"filename", "filepath", "backup_dir"} do
        if config[key] then config[key] = folder .. "/" .. config[key] end
      end
      if config.schedule then config.schedule = schedule(spec.config.schedule) end
      list[i] = nn.callbacks[spec.class_name](config)
    end
  end
  return list, recorders
end

local checks = {}

function checks.EarlyStopping(cb, want)
  local stopped = cb.stopped_epoch or 0
  return {stopped_epoch = math.max(0, stopped - (want.stopped_epoch > 0 and 1 or 0)),
    best_epoch = (cb.best_epoch or 1) - ((cb.best_epoch or 0) > 0 and 1 or 0), best = cb.best,
    wait = cb.wait}
end

-- Epochs in the log count from 1 here.
local function csv_zero_based(text)
  return (text:gsub("(\r\n)(%d+)", function(eol, n) return eol .. (tonumber(n) - 1) end))
end

local function compare_csv(text, want, tolerance)
  text = csv_zero_based(text)
  local function cells(s)
    local out = {}
    for piece, sep in s:gmatch("([^,;\r\n]*)([,;\r\n]*)") do
      out[#out + 1] = piece
      out[#out + 1] = sep
    end
    return out
  end
  local a, b = cells(text), cells(want)
  for i = 1, math.max(#a, #b) do
    if a[i] ~= b[i] then
      local x, y = tonumber(a[i] or ""), tonumber(b[i] or "")
      if not x or not y or math.abs(x - y) > tolerance.atol + tolerance.rtol * math.abs(y) then
        return ("text differs: %s, expected %s"):format(tostring(a[i]), tostring(b[i]))
      end
    end
  end
end

function build.check_callbacks(failures, case, callbacks, recorders, tolerance, folder)
  local expected = case.expected.callbacks
  if not expected or expected == values.null then return end
  for i, want in ipairs(expected) do
    local spec = case.callbacks[i]
    local name = "callbacks " .. spec.class_name
    local function note(d) if d then failures[#failures + 1] = name .. d end end
    if want == values.null then
      note(nil)
    elseif want.calls then
      note(values.differs_deep(recorders.calls[i], want.calls, tolerance, ".calls"))
    elseif want.text then
      local file = io.open(folder .. "/" .. spec.config.filename, "rb")
      note(not file and ": no file" or compare_csv(file:read "a", want.text, tolerance))
      if file then file:close() end
    elseif want.files then
      local names = {}
      for _, n in ipairs(core.sys.listdir(folder)) do
        if n ~= "." and n ~= ".." then names[#names + 1] = n end
      end
      table.sort(names)
      note(values.differs_deep(names, want.files, tolerance, ".files"))
      note(values.differs_deep(callbacks[i].best, want.best, tolerance, ".best"))
    elseif checks[spec.class_name] then
      local w = {}
      for k, v in pairs(want) do if k ~= "class_name" then w[k] = v end end
      note(values.differs_deep(checks[spec.class_name](callbacks[i], want), w, tolerance, ""))
    end
  end
end

return build
