-- Writes the logs of each epoch into a file of comma separated values, as Keras does to the byte
-- (but that epochs count from 1).

local Callback = require "nnlua.callbacks.callback"
local err = require "nnlua.err"
local logs_of = require "nnlua.logs"
local repr = require "nnlua.repr"
local state_check = require "nnlua.saving.state_check"

---@class nn.callbacks.CSVLogger: nn.callbacks.Callback
local CSVLogger = Callback:extend("CSVLogger", {args = 'filename, separator=",", append=False'})

--- `append`: goes on with a file that is there.
function CSVLogger:init(a)
  self.filename, self.sep, self.append = a.filename, a.separator, a.append
  err.check(type(a.filename) == "string", "CSVLogger: filename is %s, expected a path",
    err.show(a.filename))
  err.check(type(a.separator) == "string" and utf8.len(a.separator) == 1,
    "CSVLogger: separator is %s, expected one character", err.show(a.separator))
end

local function first_line_is_empty(path)
  local file = io.open(path, "rb")
  if not file then return true end
  local line = file:read "L"
  file:close()
  return line == nil
end

function CSVLogger:on_train_begin()
  self.keys = nil
  self.with_header = not self.append or first_line_is_empty(self.filename)
  if self.file then self.file:close() end
  local message
  self.file, message = io.open(self.filename, self.append and "ab" or "wb")
  if not self.file then err.raise("CSVLogger: cannot write %s", message) end
end

-- Quoted only when it has to be; then quotes are doubled.
local function field(self, text)
  if text:find('["\r\n]') or text:find(self.sep, 1, true) then
    return '"' .. text:gsub('"', '""') .. '"'
  end
  return text
end

local function list_text(list)
  local items = {}
  for i = 1, #list do items[i] = repr.value(list[i]) end
  return '"[' .. table.concat(items, ", ") .. ']"'
end

local function value_text(value)
  if value == nil then return "NA" end
  if type(value) == "number" and math.type(value) == "float" then
    return repr.float(repr.float32(value))
  elseif type(value) == "table" then
    return list_text(value)
  end
  return repr.value(value)
end

local function write_row(self, values)
  local fields = {}
  for i, value in ipairs(values) do fields[i] = field(self, value) end
  self.file:write(table.concat(fields, self.sep), "\r\n")
end

-- The columns of the file: the first epoch's, and room for validation that starts later.
local function columns(logs)
  local keys, validated = {}, false
  for i, key in ipairs(logs_of.keys(logs)) do
    keys[i] = key
    validated = validated or key:find("^val_") ~= nil
  end
  table.sort(keys)
  if not validated then
    for i = 1, #keys do keys[#keys + 1] = "val_" .. keys[i] end
  end
  return keys
end

function CSVLogger:on_epoch_end(epoch, logs)
  if not self.keys then
    self.keys = columns(logs)
    if self.with_header then write_row(self, {"epoch", table.unpack(self.keys)}) end
  end
  local row = {tostring(epoch)}
  for i, key in ipairs(self.keys) do row[i + 1] = value_text(logs[key]) end
  write_row(self, row)
  self.file:flush()
end

--- What a resumed fit needs: the file as it was, as later lines may have been written since.
function CSVLogger:get_state()
  local file = io.open(self.filename, "rb")
  local text = file and file:read "a"
  if file then file:close() end
  return {keys = self.keys, text = text, with_header = self.with_header}
end

function CSVLogger:set_state(state)
  if type(state.text) ~= "string" or not self.file then return end
  self.keys = state_check.is_list(state.keys, "string") and state.keys or nil
  self.with_header = state.with_header == true
  self.file:close()
  self.file = io.open(self.filename, "wb")
  if not self.file then err.raise("CSVLogger: cannot write %s", self.filename) end
  self.file:write(state.text)
  self.file:flush()
end

function CSVLogger:on_train_end()
  if self.file then self.file:close() end
  self.file = nil
end

return CSVLogger
