-- The calls of predict as C text. A call is {name=, {base=, at=}, ...}: a function and pointers
-- into arrays. Calls that come again, with pointers that move on by the same steps, become a
-- loop: the steps of recurrent layers, which are traced one by one.

local calls = {}

local MOST = 256 -- calls in the body of a loop

--- base + at
function calls.pointer(p, step)
  local text = p.base
  if p.at ~= 0 then text = ("%s + %d"):format(text, p.at) end
  if step and step ~= 0 then
    text = ("%s %s t * %d"):format(text, step < 0 and "-" or "+", math.abs(step))
  end
  return text
end

local function alike(a, b)
  if a.name ~= b.name or #a ~= #b then return false end
  for i, p in ipairs(a) do if p.base ~= b[i].base then return false end end
  return true
end

-- Whether c goes on from b as b does from a.
local function goes_on(a, b, c)
  if not alike(b, c) then return false end
  for i, p in ipairs(b) do if c[i].at - p.at ~= p.at - a[i].at then return false end end
  return true
end

-- How often the `width` calls from `first` on come one after the other.
local function repeats(list, first, width)
  local count = 1
  while true do
    local from = first + count * width
    if from + width - 1 > #list then return count end
    for k = 0, width - 1 do
      local at = from + k
      local fits
      if count == 1 then fits = alike(list[at - width], list[at])
      else fits = goes_on(list[at - 2 * width], list[at - width], list[at]) end
      if not fits then return count end
    end
    count = count + 1
  end
end

local function call_text(indent, call, following)
  local given = {}
  for i, p in ipairs(call) do
    given[i] = calls.pointer(p, following and following[i].at - p.at)
  end
  return ("%s%s(%s);"):format(indent, call.name, table.concat(given, ", "))
end

-- The loop that begins at `first` and saves the most calls: its width and count.
local function best_loop(list, first, places)
  local best_width, best_count, best = nil, nil, 0
  for _, at in ipairs(places[list[first].name]) do
    local width = at - first
    if width > MOST then break end
    if width > 0 then
      local count = repeats(list, first, width)
      if count > 2 and (count - 1) * width > best then
        best_width, best_count, best = width, count, (count - 1) * width
      end
    end
  end
  return best_width, best_count
end

--- The lines of all calls.
function calls.text(list)
  local lines, places, at = {}, {}, 1
  for i, c in ipairs(list) do
    places[c.name] = places[c.name] or {}
    table.insert(places[c.name], i)
  end
  while at <= #list do
    local width, count = best_loop(list, at, places)
    if width then
      lines[#lines + 1] = ("  for (int t = 0; t < %d; t++) {"):format(count)
      for k = at, at + width - 1 do
        lines[#lines + 1] = call_text("    ", list[k], list[k + width])
      end
      lines[#lines + 1] = "  }"
      at = at + width * count
    else
      lines[#lines + 1] = call_text("  ", list[at])
      at = at + 1
    end
  end
  return lines
end

return calls
