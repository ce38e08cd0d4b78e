-- A few rounds of the crash test; `make crash` runs a thousand.

local function program()
  local i = 0
  while arg[i - 1] do i = i - 1 end
  return arg[i]
end

describe("a training that is killed", function()
  it("goes on and ends with the same bits", function()
    local folder = os.tmpname()
    os.remove(folder)
    local command = "'%s' spec/saving/crash.lua 20 '%s' > '%s.txt'"
    local ok = os.execute(command:format(program(), folder, folder))
    local file = io.open(folder .. ".txt")
    local text = file and file:read "a" or ""
    if file then file:close() end
    os.remove(folder .. ".txt")
    assert.is_true(ok, text)
    assert.is_truthy(text:find("20 runs", 1, true))
  end)
end)
