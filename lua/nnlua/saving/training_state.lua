-- The state of a training run in one file, from which `fit` goes on with the same bits: weights and
-- optimizer as in .weights.h5 (Keras reads those), and in the group `training_state` all the rest:
-- counters, seeds, the place in the data, running metrics, what callbacks remember.
--
-- A checksum says whether the file is whole (before format 2 it was over every data set). It is
-- written beside its place and renamed, so that a crash leaves the file before. With `behind` the
-- caller waits for the copy alone; a thread of its own sums and writes.

local core = require "nnlua.core"
local behind = require "nnlua.saving.behind"
local class = require "nnlua.class"
local err = require "nnlua.err"
local seed = require "nnlua.seed"
local shapes = require "nnlua.shapes"
local state_check = require "nnlua.saving.state_check"
local store = require "nnlua.saving.store"
local version = require "nnlua.saving.version"
local walk = require "nnlua.saving.walk"

local training_state = {}

local GROUP, FORMAT = "training_state", 2

-- values with tensors in them as JSON and a list of tensors ---------------------------------------

local function pack(v, tensors)
  if core.is_tensor(v) then
    tensors[#tensors + 1] = v
    return {["$tensor"] = #tensors}
  elseif type(v) ~= "table" then
    return v
  end
  local out, n = {}, 0
  for key, one in next, v do
    if type(key) == "string" or math.type(key) == "integer" then
      out[key], n = pack(one, tensors), n + 1
    end
  end
  if n > 0 and n == #out then return core.json.array(out) end
  local named = {}
  for key, one in next, out do
    named[math.type(key) == "integer" and "#" .. key or key] = one
  end
  return named
end

local function unpack_value(v, tensors)
  if type(v) ~= "table" then return v end
  if v["$tensor"] then return tensors[v["$tensor"]] end
  local out = {}
  for key, one in next, v do
    local number = type(key) == "string" and key:match "^#(%d+)$"
    out[number and math.tointeger(tonumber(number)) or key] = unpack_value(one, tensors)
  end
  return out
end

local function text_tensor(text)
  local bytes = {}
  for i = 1, #text do bytes[i] = text:byte(i) end
  return core.new(bytes, "uint8")
end

local function tensor_text(t)
  local list, parts = t:totable(), {}
  for i = 1, #list, 4096 do
    parts[#parts + 1] = string.char(table.unpack(list, i, math.min(#list, i + 4095)))
  end
  return table.concat(parts)
end

-- what there is to remember -----------------------------------------------------------------------

-- Streams of the layers that draw random numbers, by path.
local function streams(model)
  local out = {}
  for _, entry in ipairs(walk.objects(model)) do
    local stream = rawget(entry.object, "stream")
    if math.type(stream) == "integer" then out["/" .. entry.path] = stream end
  end
  return out
end

local function set_streams(model, saved)
  for _, entry in ipairs(walk.objects(model)) do
    local stream = saved["/" .. entry.path]
    if stream then rawset(entry.object, "stream", stream) end
  end
end

local function rate_of(optimizer)
  optimizer = optimizer and (rawget(optimizer, "inner_optimizer") or optimizer)
  local rate = optimizer and optimizer.rate_source
  return type(rate) == "number" and rate or nil
end

local function metric_states(model)
  local out = {}
  for i, metric in ipairs(model.metrics) do
    local values = {}
    for k, v in ipairs(metric.variables or {}) do values[k] = v.tensor end
    out[i] = {name = metric.name, values = values}
  end
  return out
end

local function is_plain(v) return type(v) == "number" or type(v) == "boolean" end

-- Whether a callback's own field is part of its state: no argument, no function, no table.
local function is_remembered(callback, key, v)
  local given = callback.signature and callback.signature.index[key]
  return type(key) == "string" and not given and is_plain(v)
end

local function plain_fields(callback)
  local out = {}
  for key, v in next, callback do
    if is_remembered(callback, key, v) then out[key] = v end
  end
  return out
end

-- A callback's own get_state, else the numbers and flags of an object that is no plain table.
local function callback_states(list)
  local Callback, out = require "nnlua.callbacks.callback", {}
  for i, callback in ipairs(list and list.callbacks or {}) do
    local state
    if callback.get_state then state = callback:get_state()
    elseif class.is(callback, Callback) then state = plain_fields(callback) end
    out[i] = {class_name = callback.class_name or "table", state = state}
  end
  return out
end

-- The callbacks that come now may be others: the k-th of a class is the k-th of that class.
local function numbered(name, seen)
  seen[name] = (seen[name] or 0) + 1
  return name .. " " .. seen[name]
end

-- A file sets what plain_fields saved and nothing else.
local function put_plain_fields(callback, state)
  for key, v in next, state do
    local old = callback[key]
    if is_remembered(callback, key, v) and (old == nil or is_plain(old)) then callback[key] = v end
  end
end

--- Gives the callbacks of a run what they remembered.
function training_state.put_callbacks(list, saved)
  local Callback = require "nnlua.callbacks.callback"
  local states, seen, now = {}, {}, {}
  for _, entry in ipairs(saved) do states[numbered(entry.class_name, seen)] = entry.state end
  for _, callback in ipairs(list.callbacks) do
    local state = states[numbered(callback.class_name or "table", now)]
    if state and callback.set_state then
      callback:set_state(state)
    elseif state and class.is(callback, Callback) and not callback.get_state then
      put_plain_fields(callback, state)
    end
  end
end

--- Sets the running metrics, once the model has resolved them.
function training_state.put_metrics(model, saved)
  for i, metric in ipairs(model.metrics) do
    local entry = saved[i]
    for k, v in ipairs(entry and metric.variables or {}) do
      local value = entry.values[k]
      if value and shapes.same(value.shape, v.shape) then core.copy(v.tensor, value) end
    end
  end
end

local function collect(model, position)
  local run = rawget(model, "fit_run")
  return {epoch = position.epoch, batch = position.batch, format = FORMAT, seed = model.seed,
    steps_done = model.steps_done, shuffles = rawget(model, "shuffles") or 0,
    process = seed.state(), draws = core.draws(), rate = rate_of(model.optimizer),
    streams = streams(model), metrics = metric_states(model),
    source = run and run.source:position(), continues = run and run.continues or false,
    callbacks = callback_states(run and run.callbacks), logs = run and run.training_logs,
    stopped = model.stop_training or false, stop_reason = model.stop_reason}
end

-- writing -----------------------------------------------------------------------------------------

-- Of format 1: over the names and values of all data sets.
local function digest(list)
  table.sort(list, function(a, b) return a[1] < b[1] end)
  local parts = {}
  for _, one in ipairs(list) do
    parts[#parts + 1], parts[#parts + 2], parts[#parts + 3] = one[1], "\0", one[2]
  end
  return core.crc32(parts)
end

--- Writes the file. position: epoch and batch, the epochs and batches of the next that are done;
--- behind: gives a job at once, whose wait() returns when the file is in place; previous: where
--- the file that is replaced stays then; spare: what wait(true) of an earlier job gave.
function training_state.save(model, path, position)
  err.check(type(path) == "string", "save_training_state: path is %s, expected a string",
    err.show(path))
  err.check(model.built, "save_training_state: the model is not built")
  position = position or {}
  local tensors, items = {}, store.items(model)
  local value = pack(collect(model, {epoch = position.epoch or 0, batch = position.batch or 0}),
    tensors)
  items[#items + 1] = {"tensor", GROUP .. "/json", text_tensor(core.json.encode(value))}
  for k, t in ipairs(tensors) do
    items[#items + 1] = {"tensor", ("%s/tensors/%d"):format(GROUP, k), t}
  end
  items[#items + 1] = version.item()
  if position.behind then
    return behind.file(path, core.hdf5.block(items, true, position.spare), position.previous)
  end
  behind.join()
  core.hdf5.save(path, items)
end

-- reading -----------------------------------------------------------------------------------------

local function add_values(list, file, node, path)
  for _, child in ipairs(node.children) do
    local at = path == "" and child.name or path .. "/" .. child.name
    if child.kind == "dataset" then
      list[#list + 1] = {at, file:read(at)}
    else
      add_values(list, file, child, at)
    end
  end
end

local function read(path, where)
  behind.join()
  local file = core.hdf5.open(path, require("nnlua.saving").current_limits)
  local tree, values, list, own = file:tree(), {}, {}, nil
  for _, child in ipairs(tree.children) do if child.name == GROUP then own = child end end
  if not own then err.raise("%s: the file holds no state of a training run", where) end
  add_values(list, file, tree, "")
  if own.attributes.crc32 and digest(list) ~= own.attributes.crc32 then
    err.raise("%s: the file is damaged: its checksum is wrong", where)
  end
  for _, one in ipairs(list) do values[one[1]] = one[2] end
  return file, values
end

local function decode(values, where)
  local text = values[GROUP .. "/json"]
  if not text then err.raise("%s: the file holds no state of a training run", where) end
  local tensors = {}
  while values[("%s/tensors/%d"):format(GROUP, #tensors + 1)] do
    tensors[#tensors + 1] = values[("%s/tensors/%d"):format(GROUP, #tensors + 1)]
  end
  return unpack_value(core.json.decode(tensor_text(text), where), tensors)
end

--- Puts a state that was read into the model; what belongs to the run, `fit` takes from it.
function training_state.apply(model, state)
  rawset(model, "seed", state.seed)
  rawset(model, "shuffles", state.shuffles)
  model.steps_done = state.steps_done
  seed.restore(state.process)
  core.draws(state.draws)
  set_streams(model, state.streams)
  local optimizer = model.optimizer
  if state.rate and rate_of(optimizer) then optimizer.learning_rate = state.rate end
  rawset(model, "plans", nil) -- the layers' streams are part of them
end

--- Reads the file into the model, which stays as it was when the file is damaged or another
--- model's. Gives the state: {epoch=, batch=, ...}.
function training_state.load(model, path)
  local where = "load_training_state: " .. path
  err.check(model.built, "load_training_state: the model is not built")
  local file, values = read(path, where)
  local state = decode(values, where)
  state_check.check(state, where, FORMAT)
  store.load(store.from_hdf5(file, where), model, {})
  file:close()
  training_state.apply(model, state)
  return state
end

return training_state
