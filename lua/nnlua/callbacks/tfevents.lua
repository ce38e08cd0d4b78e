-- Event files as TensorBoard reads them: records framed by their length and masked CRC-32C, each an
-- Event message in protocol buffers' wire format.
--
--   local writer = tfevents.open(folder)
--   writer:scalar("epoch_loss", 0.25, step)
--   writer:close()

local err = require "nnlua.err"
local png = require "nnlua.callbacks.png"
local sys = require("nnlua.core").sys

local tfevents = {}

-- checksums ---------------------------------------------------------------------------------------

local crc_table = {}
for i = 0, 255 do
  local c = i
  for _ = 1, 8 do c = (c >> 1) ~ ((c & 1) * 0x82f63b78) end
  crc_table[i] = c
end

--- CRC-32C (Castagnoli) of a string.
function tfevents.crc32c(s)
  local c = 0xffffffff
  for i = 1, #s do c = (c >> 8) ~ crc_table[(c ~ s:byte(i)) & 255] end
  return c ~ 0xffffffff
end

local function masked(s)
  local c = tfevents.crc32c(s)
  return ((c >> 15 | c << 17) + 0xa282ead8) & 0xffffffff
end

--- One record: length, its checksum, the data, its checksum.
function tfevents.record(data)
  local length = ("<I8"):pack(#data)
  return length .. ("<I4"):pack(masked(length)) .. data .. ("<I4"):pack(masked(data))
end

-- messages ----------------------------------------------------------------------------------------

local function varint(n)
  local out = {}
  while n > 127 or n < 0 do
    out[#out + 1] = string.char(n & 127 | 128)
    n = n >> 7
  end
  out[#out + 1] = string.char(n)
  return table.concat(out)
end

-- Fields by kind of wire: whole numbers, doubles, and strings or messages.
local function int(field, n) return varint(field << 3) .. varint(n) end
local function double(field, x) return varint(field << 3 | 1) .. ("<d"):pack(x) end
local function bytes(field, s) return varint(field << 3 | 2) .. varint(#s) .. s end

local FLOAT, DOUBLE, STRING = 1, 2, 7       -- DataType
local SCALAR, TENSOR, BLOBS = 1, 2, 3       -- DataClass

local function tensor_shape(dims)
  local out = {}
  for i, n in ipairs(dims) do out[i] = bytes(2, int(1, n)) end
  return bytes(2, table.concat(out))
end

local function tensor(dtype, dims, content)
  return int(1, dtype) .. tensor_shape(dims) .. bytes(4, content)
end

local function strings(list, dims)
  local out = {int(1, STRING), tensor_shape(dims)}
  for _, s in ipairs(list) do out[#out + 1] = bytes(8, s) end
  return table.concat(out)
end

local function summary(tag, plugin, content, data_class, value)
  local metadata = bytes(1, bytes(1, plugin) .. (content and bytes(2, content) or ""))
  if data_class then metadata = metadata .. int(4, data_class) end
  return bytes(1, bytes(1, tag) .. bytes(9, metadata) .. bytes(8, value))
end

-- the writer --------------------------------------------------------------------------------------

local Writer = {}
Writer.__index = Writer

local function put(self, body) self.file:write(tfevents.record(double(1, os.time()) .. body)) end

local function put_summary(self, step, message)
  put(self, int(2, step) .. bytes(5, message))
end

local function make_folders(path)
  local at = path:sub(1, 1) == "/" and "/" or ""
  for part in path:gmatch "[^/]+" do
    at = at .. part
    if not sys.exists(at) then
      local ok, message = sys.mkdir(at)
      if not ok then err.raise("TensorBoard: cannot make the folder %s", message) end
    end
    at = at .. "/"
  end
end

local function free_name(folder)
  local time, n = os.time(), 0
  while true do
    local path = ("%s/events.out.tfevents.%d.nnlua.%d.v2"):format(folder, time, n)
    if not sys.exists(path) then return path end
    n = n + 1
  end
end

--- A new event file in `folder`, which is made where it is missing.
function tfevents.open(folder)
  make_folders(folder)
  local path = free_name(folder)
  local file, message = io.open(path, "wb")
  if not file then err.raise("TensorBoard: cannot write %s", message) end
  local writer = setmetatable({file = file, path = path}, Writer)
  put(writer, bytes(3, "brain.Event:2"))
  return writer
end

function Writer:scalar(tag, value, step)
  put_summary(self, step, summary(tag, "scalars", "", SCALAR,
    tensor(FLOAT, {}, ("<f"):pack(value))))
end

--- buckets: rows of {left edge, right edge, count}.
function Writer:histogram(tag, buckets, step)
  local out = {}
  for i, row in ipairs(buckets) do out[i] = ("<ddd"):pack(row[1], row[2], row[3]) end
  put_summary(self, step, summary(tag, "histograms", "", TENSOR,
    tensor(DOUBLE, {#buckets, 3}, table.concat(out))))
end

--- pictures: a list of strings of 8-bit samples, each height x width x channels (1, 3 or 4).
function Writer:images(tag, pictures, height, width, channels, step)
  local list = {("%d"):format(width), ("%d"):format(height)}
  for _, samples in ipairs(pictures) do
    list[#list + 1] = png.encode(samples, height, width, channels)
  end
  put_summary(self, step, summary(tag, "images", "", BLOBS, strings(list, {#list})))
end

--- A model's JSON for the page of graphs.
function Writer:model(tag, json, step)
  put_summary(self, step, summary(tag, "graph_keras_model", "1", nil, strings({json}, {})))
end

function Writer:flush() self.file:flush() end

function Writer:close() self.file:close() end

return tfevents
