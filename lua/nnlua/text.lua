-- Tensors as text, laid out as NumPy does: eight digits behind the point at most, the shortest
-- digits that give the same float32 back, columns aligned, 75 characters a line, and the first and
-- last three elements of each axis when there are more than 1000.

local core = require "nnlua.core"

local text = {}

local PRECISION, THRESHOLD, EDGE, WIDTH = 8, 1000, 3, 75
local SMALL = string.unpack("f", string.pack("f", 0.0001))

-- numbers ----------------------------------------------------------------------------------------

local function same_float32(a, b) return string.unpack("f", string.pack("f", a)) == b end

-- The shortest "d.ddde+xx" that is v as a float32.
local function shortest(v)
  for digits = 0, 8 do
    local s = ("%%.%de"):format(digits):format(v)
    if same_float32(tonumber(s), v) then return s end
  end
  return ("%.8e"):format(v)
end

-- Sign, digits and exponent of the shortest text: 0.05 is "", "5", -2.
local function decompose(v)
  local sign, first, rest, exponent = shortest(v):match "^(%-?)(%d)%.?(%d*)e([+-]%d+)$"
  return sign, (first .. rest):gsub("0+$", ""), tonumber(exponent)
end

-- "12.5" or "3.": whole and fraction without an exponent.
local function positional(v)
  local sign, digits, exponent = decompose(v)
  if #digits - 1 - exponent > PRECISION then
    local whole, fraction = ("%.8f"):format(v):match "^(.-)%.(.*)$"
    return whole, (fraction:gsub("0+$", ""))
  end
  if exponent < 0 then
    return sign .. "0", digits == "" and "" or ("0"):rep(-exponent - 1) .. digits
  end
  digits = digits .. ("0"):rep(exponent + 1 - #digits)
  return sign .. digits:sub(1, exponent + 1), digits:sub(exponent + 2)
end

-- "1.25", "-03": mantissa (whole and fraction) and exponent.
local function scientific(v)
  local sign, digits, exponent = decompose(v)
  if #digits > PRECISION + 1 then
    sign, digits, exponent = ("%.8e"):format(v):match "^(%-?)(%d%.%d*)e([+-]%d+)$"
    digits, exponent = digits:gsub("%.", ""):gsub("0+$", ""), tonumber(exponent)
  end
  if digits == "" then digits = "0" end
  return sign .. digits:sub(1, 1), digits:sub(2), ("%s%02d"):format(exponent < 0 and "-" or "+",
    math.abs(exponent))
end

local function is_finite(v) return v == v and v ~= math.huge and v ~= -math.huge end

local function special(v)
  if v ~= v then return "nan" end
  return v > 0 and "inf" or "-inf"
end

-- Whether an exponent is needed: very large, very small, or very different numbers.
local function wants_exponent(values)
  local most, least
  for _, v in ipairs(values) do
    local a = math.abs(v)
    if is_finite(v) and a > 0 then
      most, least = math.max(most or a, a), math.min(least or a, a)
    end
  end
  if not most then return false end
  local ratio = string.unpack("f", string.pack("f", most / least))
  return most >= 1e6 or least < SMALL or ratio > 1000
end

-- `tail` characters stand behind the fraction.
local function widths(values, split, tail)
  local left, right = 0, 0
  for _, v in ipairs(values) do
    if is_finite(v) then
      local whole, fraction = split(v)
      left, right = math.max(left, #whole), math.max(right, #fraction)
    end
  end
  for _, v in ipairs(values) do
    if not is_finite(v) then left = math.max(left, #special(v) - right - tail - 1) end
  end
  return left, right
end

local function pad_left(s, n) return (" "):rep(n - #s) .. s end

local function float_format(values)
  if not wants_exponent(values) then
    local left, right = widths(values, positional, 0)
    return function(v)
      if not is_finite(v) then return pad_left(special(v), left + right + 1) end
      local whole, fraction = positional(v)
      return pad_left(whole, left) .. "." .. fraction .. (" "):rep(right - #fraction)
    end
  end
  local left, right = widths(values, scientific, 4)
  local exact = ("%%.%de"):format(right)
  return function(v)
    if not is_finite(v) then return pad_left(special(v), left + right + 5) end
    -- digits beyond the shortest are those of the exact value
    local whole, fraction, exponent = exact:format(v):match "^(%-?%d)%.?(%d*)e(.+)$"
    return pad_left(whole, left) .. "." .. fraction .. "e" .. exponent
  end
end

local function integer_format(values)
  local width = 0
  for _, v in ipairs(values) do width = math.max(width, #tostring(v)) end
  return function(v) return pad_left(tostring(v), width) end
end

local function scalar(v, dtype)
  if dtype ~= "float32" then return tostring(v) end
  if not is_finite(v) then return special(v) end
  local a = math.abs(v)
  if a ~= 0 and (a >= 1e6 or a < 1e-4) then
    local whole, fraction, exponent = scientific(v)
    return whole .. (fraction ~= "" and "." .. fraction or "") .. "e" .. exponent
  end
  local sign, digits, exponent = decompose(v)
  if #digits - 1 - exponent > PRECISION and exponent < 0 then
    return sign .. "0." .. ("0"):rep(-exponent - 1) .. digits
  end
  local whole, fraction = positional(v)
  return whole .. "." .. (fraction == "" and "0" or fraction)
end

-- layout -----------------------------------------------------------------------------------------

-- The positions of an axis that are shown, `false` for the gap.
local function shown(n, short)
  local list = {}
  if not short or n <= 2 * EDGE then
    for i = 1, n do list[i] = i end
    return list
  end
  for i = 1, EDGE do list[i] = i end
  list[EDGE + 1] = false
  for i = n - EDGE + 1, n do list[#list + 1] = i end
  return list
end

-- What is shown of t: nested lists with `false` for a gap, and all values in a flat list.
local function gather(t, short, values)
  local list = {}
  for k, i in ipairs(shown(#t, short)) do
    local item = i and t[i]
    if core.is_tensor(item) then item = gather(item, short, values)
    elseif item then values[#values + 1] = item end
    list[k] = item
  end
  return list
end

local function row(list, format, indent)
  local lines, line = {}, indent
  for i, v in ipairs(list) do
    local word = v and format(v) or "..."
    if #line + #word > WIDTH - #indent and #line > #indent then
      lines[#lines + 1] = line:gsub("%s+$", "")
      line = indent
    end
    line = line .. word .. (i < #list and " " or "")
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

local function block(list, format, indent, depth)
  local s
  if depth == 1 then
    s = row(list, format, indent)
  else
    local parts = {}
    for i, item in ipairs(list) do
      parts[i] = indent .. (item and block(item, format, indent .. " ", depth - 1) or "...")
    end
    s = table.concat(parts, ("\n"):rep(depth - 1))
  end
  return "[" .. s:sub(#indent + 1) .. "]"
end

--- The text of a tensor that has values.
function text.tensor(t)
  if t.ndim == 0 then return scalar(core.item(t), t.dtype) end
  if t.size == 0 then return "[]" end
  local values = {}
  local list = gather(t, t.size > THRESHOLD, values)
  local format = t.dtype == "float32" and float_format(values) or integer_format(values)
  return block(list, format, " ", t.ndim)
end

return text
