-- Zip archives of a spec, record by record, sound or not: independent of the library's own writer.

local core = require "nnlua.core"

local B = {}

local function crc(text) return tonumber(core.crc32{text}, 16) end

--- A fixed-Huffman deflate stream of `count` times "a": a literal, then matches of 258 bytes at
--- distance 1 (RFC 1951, section 3.2.6).
function B.deflated(count)
  local out, n, value = {}, 0, 0
  local function put(v, width, reversed)
    for i = 0, width - 1 do
      local k = reversed and width - 1 - i or i
      value = value | (v >> k & 1) << n
      n = n + 1
      if n == 8 then out[#out + 1], n, value = string.char(value), 0, 0 end
    end
  end
  put(1, 1)
  put(1, 2)
  put(0x30 + 97, 8, true)
  for _ = 1, (count - 1) // 258 do
    put(0xC5, 8, true) -- 285: a length of 258
    put(0, 5, true)    -- a distance of 1
  end
  for _ = 1, (count - 1) % 258 do put(0x30 + 97, 8, true) end
  put(0, 7, true)
  if n > 0 then out[#out + 1] = string.char(value) end
  return table.concat(out)
end

local function sizes(m, full)
  return full and 0xFFFFFFFF or #m.data, full and 0xFFFFFFFF or m.size
end

--- An archive of members {name =, data = as stored, size =, method =, flags =, crc =, ...}; a field
--- of the name `local_name` and so on replaces what the member's own header says. options: at and
--- count, which the end record tells; before and comment, bytes; large, with zip64 records.
function B.archive(members, options)
  options = options or {}
  local parts, length, places = {options.before or ""}, #(options.before or ""), {}
  local function add(text)
    parts[#parts + 1] = text
    length = length + #text
  end
  for i, m in ipairs(members) do
    m.size, m.method, m.flags = m.size or #m.data, m.method or 0, m.flags or 0
    m.crc = m.crc or crc(m.data)
    places[i] = m.at or length
    local name, extra = m.local_name or m.name, m.local_extra or ""
    if not m.hidden then
      add(string.pack("<c4I2I2I2I2I2I4I4I4I2I2", "PK\3\4", 20, m.flags,
        m.local_method or m.method, 0, 33, m.crc, #m.data, m.size, #name, #extra)
        .. name .. extra .. m.data .. (m.after or ""))
    end
  end
  local start = length
  for i, m in ipairs(members) do
    local packed, size = sizes(m, options.large)
    local extra = options.large and string.pack("<I2I2I8I8", 1, 16, m.size, #m.data) or ""
    add(string.pack("<c4I2I2I2I2I2I2I4I4I4I2I2I2I2I2I4I4", "PK\1\2", 20, 20, m.flags, m.method,
      0, 33, m.crc, m.packed or packed, size, #m.name, #extra, 0, 0, 0, 0, places[i])
      .. m.name .. extra)
  end
  local count, bytes, at = options.count or #members, length - start, options.at or start
  if options.large then
    local large = length
    add(string.pack("<c4I8I2I2I4I4I8I8I8I8", "PK\6\6", 44, 45, 45, 0, 0, count, count, bytes, at))
    add(string.pack("<c4I4I8I4", "PK\6\7", 0, options.large_at or large, 1))
    count, bytes, at = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF
  end
  local comment = options.comment or ""
  add(string.pack("<c4I2I2I2I2I4I4I2", "PK\5\6", 0, 0, count, count, bytes, at, #comment)
    .. comment)
  return table.concat(parts)
end

return B
