-- Templates with fields in braces and Python's format specs: "ck-{epoch:02d}-{val_loss:.2f}.keras".
--
-- A spec is [[fill]align][sign][0][width][,][.precision][type] with align < > ^ and the types
-- d e E f F g G %; no type writes a number as Python prints it. {{ and }} are braces.

local repr = require "nnlua.repr"

local pyformat = {}

local function parse(spec)
  local s = {fill = " "}
  local rest = spec
  local fill, align = rest:match("^(" .. utf8.charpattern .. ")([<>^])")
  if fill then
    s.fill, s.align, rest = fill, align, rest:sub(#fill + 2)
  else
    align = rest:match("^[<>^]")
    if align then s.align, rest = align, rest:sub(2) end
  end
  local sign, zero, width, comma, precision, kind =
    rest:match("^([+%- ]?)(0?)(%d*)(,?)(%.?%d*)([deEfFgG%%]?)$")
  if not sign or precision == "." then return nil end
  s.sign, s.zero, s.width = sign, zero == "0", tonumber(width) or 0
  s.comma, s.precision, s.kind = comma == ",", tonumber(precision:sub(2)), kind
  return s
end

local function thousands(digits)
  local whole, rest = digits:match("^(%d+)(.*)$")
  if not whole then return digits end
  return whole:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "") .. rest
end

-- Python's "g" for a float without a type but with a precision keeps one digit after the point.
local function magnitude(s, x)
  local kind, precision = s.kind, s.precision
  if kind == "%" then return repr.fixed("%." .. (precision or 6) .. "f", x * 100) .. "%" end
  if kind == "d" then return ("%d"):format(x) end
  if kind == "" and not precision then return repr.value(x) end
  if kind == "" then return repr.fixed("%." .. math.max(precision, 1) .. "g", x) end
  return repr.fixed("%." .. (precision or 6) .. kind, x)
end

local function pad(s, sign, digits)
  local missing = s.width - utf8.len(sign .. digits)
  if missing <= 0 then return sign .. digits end
  if s.zero and not s.align then return sign .. ("0"):rep(missing) .. digits end
  local left = s.align == "<" and 0 or s.align == "^" and missing // 2 or missing
  return s.fill:rep(left) .. sign .. digits .. s.fill:rep(missing - left)
end

--- One value by a spec; nil and a message when the spec does not fit.
function pyformat.value(x, spec)
  local s = parse(spec)
  if not s then return nil, ("bad format '%s'"):format(spec) end
  if type(x) ~= "number" then return spec == "" and tostring(x) or nil, "not a number" end
  if s.kind == "d" and not math.tointeger(x) then
    return nil, ("format '%s' wants a whole number"):format(spec)
  end
  local negative = x < 0 or (x == 0 and 1 / x < 0)
  local digits = magnitude(s, s.kind == "d" and math.abs(math.tointeger(x)) or math.abs(x))
  if s.comma then digits = thousands(digits) end
  local sign = negative and "-" or (s.sign == "+" or s.sign == " ") and s.sign or ""
  return pad(s, sign, digits)
end

--- The names of the fields of a template, in order.
function pyformat.fields(template)
  local names = {}
  for field in template:gsub("{{", ""):gsub("}}", ""):gmatch("{([^{}]*)}") do
    names[#names + 1] = field:match("^[^:]*")
  end
  return names
end

--- The template with its fields filled in from `values`, or nil, a message and the field's name.
function pyformat.fill(template, values)
  local failure, failed
  local open, close = "\1", "\2"
  local text = template:gsub("{{", open):gsub("}}", close):gsub("{([^{}]*)}", function(field)
    local name, spec = field:match("^([^:]*):?(.*)$")
    if values[name] == nil then
      failure, failed = failure or "unknown", failed or name
      return nil
    end
    local out, message = pyformat.value(values[name], spec)
    if not out then failure, failed = failure or message, failed or name end
    return out
  end)
  if failure then return nil, failure, failed end
  return (text:gsub(open, "{"):gsub(close, "}"))
end

return pyformat
