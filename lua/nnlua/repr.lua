-- Numbers as Python writes them: the shortest decimal text that reads back to the same double.
--
-- Files and messages that Keras writes hold such numbers. A float32 value is first widened, so 0.8
-- in float32 is 0.800000011920929, as in Keras's log files.

local repr = {}

--- The float32 next to x, as a double.
function repr.float32(x)
  if x ~= x or x == math.huge or x == -math.huge then return x end
  return (string.unpack("<f", string.pack("<f", x)))
end

-- The digits "d.ddd" and the exponent of x > 0 with `n` digits, `up` last places higher.
local function scientific(x, n, up)
  local mantissa, exponent = ("%." .. (n - 1) .. "e"):format(x):match("^(.-)e(.*)$")
  local digits, power = mantissa:gsub("[^%d]", ""), math.tointeger(tonumber(exponent))
  if up == 0 then return digits, power end
  local raised = ("%d"):format(math.tointeger(tonumber(digits)) + up)
  if #raised > #digits then return raised:sub(1, #digits), power + 1 end
  return raised, power
end

-- The fewest digits that read back to x. Just above a power of two the doubles below are twice as
-- close as those above, so the nearest decimal may fail where the next higher one serves.
local function shortest(x)
  for n = 1, 17 do
    for up = 0, 1 do
      local digits, power = scientific(x, n, up)
      if tonumber(digits .. "e" .. (power - n + 1)) == x then return digits, power end
    end
  end
end

local function place_point(digits, power)
  digits = digits:gsub("0+$", "")
  if digits == "" then digits = "0" end
  if power < -4 or power >= 16 then
    local fraction = #digits > 1 and "." .. digits:sub(2) or ""
    return ("%s%se%s%02d"):format(digits:sub(1, 1), fraction, power < 0 and "-" or "+",
      math.abs(power))
  elseif power < 0 then
    return "0." .. ("0"):rep(-power - 1) .. digits
  elseif #digits <= power + 1 then
    return digits .. ("0"):rep(power + 1 - #digits) .. ".0"
  end
  return digits:sub(1, power + 1) .. "." .. digits:sub(power + 2)
end

--- Python's repr of a float: "0.1", "1e-05", "3.0", "nan".
function repr.float(x)
  if x ~= x then return "nan" end
  if x == math.huge then return "inf" end
  if x == -math.huge then return "-inf" end
  if x == 0 then return 1 / x < 0 and "-0.0" or "0.0" end
  local text = place_point(shortest(math.abs(x)))
  return x < 0 and "-" .. text or text
end

--- Python's repr of a number or boolean: an integer stays one.
function repr.value(x)
  if math.type(x) == "integer" then return tostring(x) end
  if math.type(x) == "float" then return repr.float(x) end
  if type(x) == "boolean" then return x and "True" or "False" end
  if x == nil then return "None" end
  return tostring(x)
end

--- string.format for one number, with Python's words for the non-finite ones.
function repr.fixed(format, x)
  if x ~= x then return "nan" end
  if x == math.huge then return "inf" end
  if x == -math.huge then return "-inf" end
  return format:format(x)
end

return repr
