-- The reference against the live module, both ways, and every example run.

local examples = require "tools.docs.examples"
local meta = require "tools.docs.meta"
local nn = require "nnlua"
local live = require "tools.docs.live"
local reference = require "tools.docs.reference"
local scratch = require "spec.support.scratch"

local pages = reference.build()
local folder

setup(function() folder = scratch.make() end)

teardown(function() scratch.remove(folder) end)

describe("the reference", function()
  it("has every public name with all its arguments, and no other", function()
    assert.same({}, reference.problems(pages))
  end)

  it("has a page for everything in nn", function()
    local shown = {core = true}
    for _, page in ipairs(pages) do
      for _, section in ipairs(page.sections) do
        local space = section.prefix:match "^nn%.([%w_]+)%.$"
        if space then shown[space] = true end
        if section.prefix == "nn." then
          for _, item in ipairs(section.items) do shown[item.name] = true end
        end
      end
    end
    local missing = {}
    for _, name in ipairs(live.names(nn)) do
      if not shown[name] then missing[#missing + 1] = name end
    end
    assert.same({}, missing)
  end)

  it("gives LuaLS definitions that are Lua", function()
    meta.write(pages, folder)
    for _, page in ipairs(pages) do
      assert(loadfile(("%s/%s.d.lua"):format(folder, page.id)))
    end
  end)
end)

describe("the example of", function()
  reference.each(pages, function(item)
    if item.example then
      it(item.full, function() assert(examples.run(item.full, item.example, folder)) end)
    end
  end)
end)
