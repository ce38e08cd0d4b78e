-- The reference: nnlua tools/docs.lua FOLDER
--
-- Writes HTML pages into FOLDER and LuaLS definitions into FOLDER/meta, from the live module's
-- signatures, the annotations in lua/nnlua and the texts in lua/nnlua/meta/texts. Fails where they
-- do not agree.

local html = require "tools.docs.html"
local meta = require "tools.docs.meta"
local reference = require "tools.docs.reference"

local folder = arg[1] or "build/docs"
assert(os.execute(("mkdir -p '%s/meta'"):format(folder)))

local pages = reference.build()
html.write(pages, folder)
meta.write(pages, folder .. "/meta")
assert(os.execute(("cp lua/nnlua/meta/core.d.lua '%s/meta/'"):format(folder)))

local count, examples = 0, 0
reference.each(pages, function(item)
  count = count + 1
  if item.example then examples = examples + 1 end
end)
print(("%s: %d pages, %d names, %d examples"):format(folder, #pages + 2, count, examples))

local problems = reference.problems(pages)
for _, problem in ipairs(problems) do io.stderr:write(problem, "\n") end
os.exit(#problems == 0)
