-- PNG pictures of 8-bit samples, stored without compression: small pictures of weights.

local png = {}

local crc_table = {}
for i = 0, 255 do
  local c = i
  for _ = 1, 8 do c = (c >> 1) ~ ((c & 1) * 0xedb88320) end
  crc_table[i] = c
end

local function crc32(s)
  local c = 0xffffffff
  for i = 1, #s do c = (c >> 8) ~ crc_table[(c ~ s:byte(i)) & 255] end
  return c ~ 0xffffffff
end

local function adler32(s)
  local a, b = 1, 0
  for i = 1, #s do
    a = (a + s:byte(i)) % 65521
    b = (b + a) % 65521
  end
  return b << 16 | a
end

local function chunk(kind, data)
  return (">I4"):pack(#data) .. kind .. data .. (">I4"):pack(crc32(kind .. data))
end

-- A zlib stream of stored blocks.
local function stored(s)
  local out = {"\x78\x01"}
  for at = 1, math.max(#s, 1), 65535 do
    local block = s:sub(at, at + 65534)
    local last = at + 65535 > #s and 1 or 0
    out[#out + 1] = ("<I1I2I2"):pack(last, #block, ~#block & 0xffff) .. block
  end
  return table.concat(out) .. (">I4"):pack(adler32(s))
end

local color_types = {[1] = 0, [2] = 4, [3] = 2, [4] = 6}

--- The file of `samples`, a string of height x width x channels bytes; 1 to 4 channels.
function png.encode(samples, height, width, channels)
  local rows, length = {}, width * channels
  for i = 1, height do rows[i] = "\0" .. samples:sub((i - 1) * length + 1, i * length) end
  local header = (">I4I4I1I1I1I1I1"):pack(width, height, 8, color_types[channels], 0, 0, 0)
  return "\x89PNG\r\n\x1a\n" .. chunk("IHDR", header) .. chunk("IDAT", stored(table.concat(rows)))
    .. chunk("IEND", "")
end

return png
