-- What the specs of export share: weights that are not at their start, C files compiled and run.

local core = require "nnlua.core"
local files = require "spec.support.files"

local support = {}

--- Numbers in -1.25 .. 1.25 that follow from their place; ids below 4 for integers.
function support.numbers(shape, dtype, salt)
  local n, list = 1, {}
  for _, d in ipairs(shape) do n = n * d end
  for i = 0, n - 1 do
    if dtype == "int32" then list[i + 1] = (i * 7 + (salt or 0)) % 4
    else list[i + 1] = ((i * 37 + (salt or 0) * 11) % 101) / 40 - 1.25 end
  end
  return core.reshape(core.new(list, dtype or "float32"), shape)
end

function support.flat(t) return core.reshape(core.astype(t, "float32"), {t.size}):totable() end

--- Gives the model other weights and statistics.
function support.shake(model)
  local list = {}
  for i, w in ipairs(model:get_weights()) do
    local values = support.numbers{w.size}
    list[i] = core.reshape(values * values * 0.6 + values * 0.3 + 0.05 * i, w.shape)
  end
  model:set_weights(list)
  return model
end

-- The exported file stands first, so that it has to include what it needs.
local program = [[
#include "net.c"
#include <stdio.h>
int main(void) {
%s
  for (int r = 0; r < %d; r++) {
%s
    predict(%s);
%s
  }
  return 0;
}
]]

-- The text of a main that reads rows of inputs and writes rows of outputs.
local function main_of(rows, inputs, outputs)
  local declared, reads, writes, given = {}, {}, {}, {}
  local function each(list, letter, write)
    for i, size in ipairs(list) do
      local name = #list == 1 and letter or letter .. i
      declared[#declared + 1] = ("  static float %s[%d];"):format(name, size)
      given[#given + 1] = name
      write(name, size)
    end
  end
  each(inputs, "x", function(name, size)
    local line = '    for (int i = 0; i < %d; i++) if (scanf("%%f", &%s[i]) != 1) return 1;'
    reads[#reads + 1] = line:format(size, name)
  end)
  each(outputs, "y", function(name, size)
    writes[#writes + 1] = ('    for (int i = 0; i < %d; i++) printf("%%.9g\\n", %s[i]);')
      :format(size, name)
  end)
  return program:format(table.concat(declared, "\n"), rows, table.concat(reads, "\n"),
    table.concat(given, ", "), table.concat(writes, "\n"))
end

local function row_sizes(list)
  local sizes = {}
  for i, t in ipairs(list) do sizes[i] = t.size // t.shape[1] end
  return sizes
end

-- Row by row the elements of all tensors.
local function interleaved(list)
  local flats, out = {}, {}
  for i, t in ipairs(list) do flats[i] = support.flat(t) end
  for r = 0, list[1].shape[1] - 1 do
    for i, size in ipairs(row_sizes(list)) do
      for k = 1, size do out[#out + 1] = flats[i][r * size + k] end
    end
  end
  return out
end

support.interleaved = interleaved

--- What the exported C file computes for the inputs (a list of tensors), as rows of all outputs;
--- outputs: tensors of the shapes that predict gives.
function support.run_c(folder, model, inputs, outputs)
  model:export(folder .. "/net.c")
  files.write(folder .. "/main.c", main_of(inputs[1].shape[1], row_sizes(inputs),
    row_sizes(outputs)))
  local flags = "-std=c99 -O0 -Wall -Wextra -Werror"
  assert(os.execute(("cd '%s' && ${CC:-cc} %s -o net main.c -lm"):format(folder, flags)))
  local list = {}
  for i, v in ipairs(interleaved(inputs)) do list[i] = ("%.9g"):format(v) end
  files.write(folder .. "/input", table.concat(list, "\n") .. "\n")
  assert(os.execute(("cd '%s' && ./net < input > output"):format(folder)))
  local got = {}
  for line in io.lines(folder .. "/output") do got[#got + 1] = tonumber(line) end
  return got
end

--- The largest |a - b| / (1 + |b|), infinite where the lengths differ.
function support.gap(a, b)
  local worst = #a == #b and 0 or math.huge
  for i = 1, math.min(#a, #b) do
    local d = math.abs(a[i] - b[i]) / (1 + math.abs(b[i]))
    if a[i] ~= b[i] then worst = math.max(worst, d == d and d or math.huge) end
  end
  return worst
end

return support
