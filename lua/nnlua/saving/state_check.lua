-- What a file of a training's state may hold. It is read like any stranger's file: all kinds are
-- compared before anything of the model, the generators or the callbacks is touched.

local core = require "nnlua.core"
local err = require "nnlua.err"

local state_check = {}

local function is_integer(v) return math.type(v) == "integer" end

local function is_count(v) return is_integer(v) and v >= 0 end

local function is_flag(v) return type(v) == "boolean" end

local function is_rate(v) return type(v) == "number" and v >= 0 and v < math.huge end

local function all(v, check_key, check_value)
  if type(v) ~= "table" then return false end
  for key, one in next, v do
    if not check_key(key) or not check_value(one) then return false end
  end
  return true
end

local function is_name(v) return type(v) == "string" end

local function is_plain(v) return type(v) ~= "table" end

local function is_process(v)
  return type(v) == "table" and is_integer(v.seed) and is_count(v.count)
end

local function is_source(v) return all(v, is_name, is_count) and v.passes ~= nil end

local function is_metric(v)
  return type(v) == "table" and all(v.values, is_integer, core.is_tensor)
end

local function is_callback(v)
  return type(v) == "table" and type(v.class_name) == "string"
    and (v.state == nil or type(v.state) == "table")
end

-- {name, may it be missing, check, what it should be}
local fields = {
  {"epoch", false, is_count, "a count"}, {"batch", false, is_count, "a count"},
  {"seed", true, is_integer, "an integer"}, {"steps_done", false, is_count, "a count"},
  {"shuffles", false, is_count, "a count"}, {"draws", false, is_integer, "an integer"},
  {"process", false, is_process, "{seed=, count=}"},
  {"rate", true, is_rate, "a number, 0 or more"},
  {"streams", false, function(v) return all(v, is_name, is_integer) end, "integers by name"},
  {"metrics", false, function(v) return all(v, is_integer, is_metric) end, "a list of metrics"},
  {"source", true, is_source, "counts by name"}, {"continues", false, is_flag, "true or false"},
  {"callbacks", false, function(v) return all(v, is_integer, is_callback) end,
    "a list of callbacks"},
  {"logs", true, function(v) return all(v, is_name, is_plain) end, "values by name"},
  {"stopped", false, is_flag, "true or false"}, {"stop_reason", true, is_name, "a text"},
}

--- An error that begins with `where` when the state is not what save_training_state writes, or of
--- a later format than `format`.
function state_check.check(state, where, format)
  if type(state) ~= "table" then
    err.raise("%s: the state is %s, expected a table", where, err.show(state))
  end
  if type(state.format) ~= "number" or state.format > format then
    err.raise("%s: the state has the format %s, expected at most %d", where,
      tostring(state.format), format)
  end
  for _, field in ipairs(fields) do
    local name, optional, check, expected = table.unpack(field)
    local v = state[name]
    if not (v == nil and optional) and not check(v) then
      err.raise("%s: %s of the state is %s, expected %s", where, name, err.show(v), expected)
    end
  end
end

--- True for a list whose elements are of that type.
function state_check.is_list(v, kind)
  return all(v, is_integer, function(one) return type(one) == kind end)
end

--- Puts the fields named in kinds ({name = type}) into an object, where the state has values of
--- that type.
function state_check.take(object, state, kinds)
  for name, kind in pairs(kinds) do
    if type(state[name]) == kind then object[name] = state[name] end
  end
end

return state_check
