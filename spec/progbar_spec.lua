local Progbar = require "nnlua.progbar"
local shared = require "spec.support.shared"
local terminal = require "nnlua.terminal"

-- A bar whose clock is set by hand; `written` takes what it prints.
local function bar_with_clock(record, start)
  local now, written = start, {}
  record.clock = function() return now end
  record.writer = function(text) written[#written + 1] = text end
  return Progbar(record), function(time) now = time end, written
end

-- The cases keep their values in float32, the texts come from doubles: numbers of more than seven
-- digits agree to seven digits, all else to the byte.
local function same_text(want, got)
  if want == got then return true end
  local pattern = "%d%d%d%d%d+%.%d%d%d%d"
  if want:gsub(pattern, "#") ~= got:gsub(pattern, "#") then return false end
  local numbers = got:gmatch(pattern)
  for text in want:gmatch(pattern) do
    local a, b = tonumber(text), tonumber(numbers())
    if math.abs(a - b) > 1e-6 * a then return false end
  end
  return true
end

local function values_of(list)
  local values = {}
  for i, pair in ipairs(list) do values[i] = {pair[1], shared.number(pair[2])} end
  return values
end

describe("Progbar", function()
  local cases = shared.cases "training/transcripts/progbar.json"
  if not cases then
    pending(shared.ABSENT)
  else
    for _, case in ipairs(cases) do
      local name = ("%s, verbose %d, tty %s"):format(case.id, case.verbose, case.tty)
      it("prints what Keras prints: " .. name, function()
        local record = {case.target or require("nnlua.args").None, verbose = case.verbose}
        for key, value in pairs(case.arguments) do record[key] = value end
        local bar, set_clock, written = bar_with_clock(record, case.start)
        for i, update in ipairs(case.updates) do
          local before = #written
          set_clock(update.now)
          bar:update(update.current, values_of(update.values), update.finalize)
          local got = table.concat(written, "", before + 1)
          assert.is_true(same_text(case.written[i], got),
            ("update %d: %q, expected %q"):format(i, got, case.written[i]))
        end
      end)
    end
  end

  it("averages what it is told to", function()
    local bar, set_clock, written = bar_with_clock({2, verbose = 2, stateless_metrics = {"a"}}, 0)
    set_clock(1)
    bar:update(1, {{"a", 1}, {"b", 1}})
    bar:add(1, {{"a", 2}, {"b", 2}})
    assert.equal("2/2 - 1s - 1s/step - a: 1.5000 - b: 2.0000\n",
      (table.concat(written):gsub("0s/step", "1s/step")))
  end)

  it("prints one plain line where nothing can be repainted", function()
    local style = {live = false, escapes = false, unicode = true}
    local bar, set_clock, written = bar_with_clock({4, style = style}, 0)
    for step = 1, 4 do
      set_clock(step * 0.1)
      bar:update(step, {{"loss", 0.5}}, step == 4)
    end
    assert.same({"4/4 ━━━━━━━━━━━━━━━━━━━━ 0s 100ms/step - loss: 0.5000\n"}, written)
  end)

  it("prints a plain line now and then in a long epoch", function()
    local style = {live = false, escapes = false, unicode = false}
    local bar, set_clock, written = bar_with_clock({100, style = style}, 0)
    for step = 1, 100 do
      set_clock(step * 0.25)
      bar:update(step, {})
    end
    assert.equal(3, #written)
    assert.equal(" 40/100 ========............ 15s 250ms/step\n", written[1])
    assert.equal("100/100 ==================== 25s 250ms/step\n", written[3])
  end)

  it("stays within the terminal's width while it is repainted", function()
    for columns = 30, 100, 7 do
      local style = {live = true, escapes = true, unicode = true, columns = columns}
      local bar, set_clock, written = bar_with_clock({4, style = style}, 0)
      for step = 1, 3 do
        set_clock(step)
        bar:update(step, {{"accuracy", 0.5}, {"loss", 12345.678}, {"val_loss", 1e-9}})
      end
      for _, text in ipairs(written) do
        local visible = text:gsub("[\b\r]", ""):gsub("\27%[%d+m", ""):gsub(" +$", "")
        assert.is_true(utf8.len(visible) <= columns - 1, visible)
      end
    end
  end)

  it("uses no escapes and no Unicode where they are not wanted", function()
    local style = {live = true, escapes = false, unicode = false}
    local bar, _, written = bar_with_clock({4, style = style}, 0)
    bar:update(2, {{"loss", 0.5}})
    assert.equal("\r2/4 ==========.......... 0s 0s/step - loss: 0.5000", written[1])
  end)

  it("knows a locale that is not UTF-8", function()
    assert.is_boolean(terminal.unicode())
    assert.is_true(terminal.columns() > 0)
  end)
end)
