-- Runs the examples of the reference. `print(x) --> text` says what is printed; an expression with
-- `--> text` behind it is printed too; `--> text` on a line alone is one more printed line.
-- Blanks and ends of lines count as one blank.

local examples = {}

local named = 0 -- files so far

local function squeeze(text) return (text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")) end

-- The example as a chunk, and what it says that it prints.
local function prepare(text)
  local lines, expected = {}, {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    local code, want = line:match "^(.-)%s*%-%->%s*(.*)$"
    if code then
      expected[#expected + 1] = squeeze(want)
      if code ~= "" and not code:find "^%s*print" and load("return " .. code) then
        code = "print(" .. code .. ")"
      end
      line = code
    end
    lines[#lines + 1] = line
  end
  return table.concat(lines, "\n"), expected
end

-- os, but that files get their names in the folder, each a new one.
local function os_in(folder)
  local function tmpname()
    named = named + 1
    return ("%s/%d"):format(folder, named)
  end
  return setmetatable({tmpname = tmpname}, {__index = os})
end

--- Runs an example, whose files land in the folder; gives true, or nil and what was wrong.
function examples.run(name, text, folder)
  local code, expected = prepare(text)
  local printed = {}
  local environment = setmetatable({nn = require "nnlua", os = os_in(folder)}, {__index = _G})
  function environment.print(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    printed[#printed + 1] = squeeze(table.concat(words, " "))
  end
  local chunk, message = load(code, "=" .. name, "t", environment)
  if not chunk then return nil, message end
  local ok, why = pcall(chunk)
  if not ok then return nil, tostring(why) end
  if #expected == 0 then return true end
  for i = 1, math.max(#expected, #printed) do
    if expected[i] ~= printed[i] then
      return nil, ("%s: line %d prints %q, the example says %q"):format(name, i,
        tostring(printed[i]), tostring(expected[i]))
    end
  end
  return true
end

return examples
