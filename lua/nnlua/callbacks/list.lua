-- The callbacks of one run, called as one: the user's in their order, then History, then the
-- progress bar. Plain tables with hooks are callbacks too.

local class = require "nnlua.class"
local err = require "nnlua.err"
local Callback = require "nnlua.callbacks.callback"
local History = require "nnlua.history"
local logs_of = require "nnlua.logs"
local ProgbarLogger = require "nnlua.callbacks.progbar_logger"

local BATCH_HOOKS = {
  train = {"on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"},
  test = {"on_test_batch_begin", "on_test_batch_end"},
  predict = {"on_predict_batch_begin", "on_predict_batch_end"},
}

---@class nn.callbacks.CallbackList
---@field callbacks nn.callbacks.Callback[]
---@field history nn.callbacks.History?
local CallbackList = class.new("CallbackList", {
  args = "callbacks=None, add_history=False, add_progbar=False, model=None",
  extra_args = true, -- what is left are the params
})

-- A plain table with a misspelt hook would be silently deaf.
local function check_hooks(callback)
  for key, value in pairs(callback) do
    if type(key) == "string" and key:find("^on_") and type(value) == "function"
      and key ~= "on_progress" and not Callback[key] then
      err.raise("callbacks: unknown hook '%s'%s", key, err.suggest(key, Callback.HOOKS))
    end
  end
end

local function has_hooks(t)
  for key in pairs(t) do
    if type(key) == "string" then return true end
  end
  return false
end

local function flatten(value, out)
  if type(value) ~= "table" then
    err.raise("callbacks: %s is no callback, expected a callback or a table with hooks",
      err.show(value))
  elseif class.is_class(value) then
    err.raise("callbacks: %s is a class, expected an object: %s{...}", value.class_name,
      value.class_name)
  elseif class.is(value, Callback) then
    out[#out + 1] = value
  elseif class.is(value, CallbackList) then
    flatten(value.callbacks, out)
  elseif getmetatable(value) or has_hooks(value) then
    check_hooks(value)
    out[#out + 1] = value
  else
    for _, item in ipairs(value) do flatten(item, out) end
  end
  return out
end

local function find(callbacks, cls)
  for _, callback in ipairs(callbacks) do
    if class.is(callback, cls) then return callback end
  end
end

--- `callbacks`: nil, one callback, or a list of callbacks and lists.
function CallbackList:init(a)
  self.known = {}
  self.callbacks = flatten(a.callbacks or {}, {})
  self.history = find(self.callbacks, History)
  if a.add_history and not self.history then
    self.history = History()
    self:append(self.history)
  end
  if a.add_progbar and not find(self.callbacks, ProgbarLogger) then
    self:append(ProgbarLogger())
  end
  if a.model then self:set_model(a.model) end
  local params = {}
  for key, value in pairs(a) do
    if not CallbackList.signature.index[key] then params[key] = value end
  end
  if next(params) then self:set_params(params) end
end

function CallbackList:append(callback)
  self.known = {}
  self.callbacks[#self.callbacks + 1] = callback
end

function CallbackList:set_params(params)
  self.params = params
  for _, callback in ipairs(self.callbacks) do
    if callback.set_params then callback:set_params(params) else callback.params = params end
  end
end

function CallbackList:set_model(model)
  self.model = model
  if self.history then model.history = self.history end
  for _, callback in ipairs(self.callbacks) do
    if callback.set_model then callback:set_model(model) else callback.model = model end
  end
end

-- on_train_batch_* of a plain table may be written as on_batch_*.
local SHORT = {on_train_batch_begin = "on_batch_begin", on_train_batch_end = "on_batch_end"}

-- What a callback's class does at a hook: false where that is nothing. Hooks that an object has of
-- its own come first, and are looked at each time.
local function class_hook(callback, hook)
  local f = callback[hook] or SHORT[hook] and callback[SHORT[hook]]
  if f and f == Callback[hook] then
    local short = SHORT[hook] and callback[SHORT[hook]]
    return short and short ~= Callback[SHORT[hook]] and short or false
  end
  return f or false
end

local function known_hooks(self, hook)
  local known = {}
  for i, callback in ipairs(self.callbacks) do
    known[i] = getmetatable(callback) ~= nil and class_hook(callback, hook)
  end
  self.known[hook] = known
  return known
end

local function call(self, hook, index, logs)
  local callbacks, short = self.callbacks, SHORT[hook]
  local known = self.known[hook]
  if not known or #known ~= #callbacks then known = known_hooks(self, hook) end
  for i = 1, #callbacks do
    local callback = callbacks[i]
    local f = rawget(callback, hook) or short and rawget(callback, short) or known[i]
    if f then
      if logs == nil then f(callback, index) else f(callback, index, logs) end
    end
  end
end

-- A backup wants to see the state that all callbacks have left.
local AFTER = {on_train_begin = "after_train_begin", on_epoch_end = "after_epoch_end",
  on_train_batch_end = "after_train_batch_end"}

for _, hook in ipairs(Callback.HOOKS) do
  if hook:find "batch" or hook:find "epoch" then
    local after = AFTER[hook]
    CallbackList[hook] = function(self, index, logs)
      logs = logs or logs_of.new()
      call(self, hook, index, logs)
      if after then call(self, after, index, logs) end
    end
  else
    local after = AFTER[hook]
    CallbackList[hook] = function(self, logs)
      logs = logs or logs_of.new()
      call(self, hook, logs)
      if after then call(self, after, logs) end
    end
  end
end

--- After an error in the run: what callbacks do in the background comes to its end.
function CallbackList:settle() call(self, "settle") end

local function hears(callback, kind)
  if callback.wants_batches then return callback:wants_batches(kind) end
  for _, hook in ipairs(BATCH_HOOKS[kind]) do
    if callback[hook] and callback[hook] ~= Callback[hook] then return true end
  end
  return false
end

--- True when some callback listens to single batches of a kind: "train", "test", "predict" (nil:
--- any). Where none does, whole epochs may run without calling Lua.
function CallbackList:has_batch_hooks(kind)
  for one in pairs(kind and {[kind] = true} or BATCH_HOOKS) do
    for _, callback in ipairs(self.callbacks) do
      if hears(callback, one) then return true end
    end
  end
  return false
end

--- What a hook calls: {{callback, f}, ...}.
function CallbackList:listeners(hook)
  local list = {}
  for _, name in ipairs {hook, AFTER[hook]} do
    for _, callback in ipairs(self.callbacks) do
      local f = class_hook(callback, name)
      if f then list[#list + 1] = {callback, f} end
    end
  end
  return list
end

--- True when some callback shows progress: then `on_progress` wants to be called now and then.
function CallbackList:has_progress()
  for _, callback in ipairs(self.callbacks) do
    if callback.on_progress and (not callback.wants_progress or callback:wants_progress()) then
      return true
    end
  end
  return false
end

--- `batch` batches are done and `logs` are the means so far: at most some 20 times a second.
function CallbackList:on_progress(batch, logs)
  call(self, "on_progress", batch, logs or logs_of.new())
end

return CallbackList
