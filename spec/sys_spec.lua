local sys = require("nnlua.core").sys
local files = require "spec.support.files"
local scratch = require "spec.support.scratch"

describe("core.sys", function()
  local folder

  before_each(function()
    folder = scratch.make()
    assert(sys.mkdir(folder .. "/a/b"))
  end)

  after_each(function() scratch.remove(folder) end)

  it("has a clock that only goes forward", function()
    local before = sys.clock()
    for _ = 1, 100 do
      local now = sys.clock()
      assert.is_true(now >= before)
      before = now
    end
  end)

  it("makes folders and lists them", function()
    assert.is_true(sys.mkdir(folder .. "/a/b/"))
    assert.same({"a"}, sys.listdir(folder))
    assert.equal("directory", sys.exists(folder .. "/a"))
    assert.is_false(sys.exists(folder .. "/x"))
    local ok, message = sys.listdir(folder .. "/x")
    assert.is_nil(ok)
    assert.is_truthy(message:find("No such file", 1, true))
  end)

  it("refuses a folder where a file stands", function()
    assert(sys.fsync_write(folder .. "/f", "x"))
    local ok, message = sys.mkdir(folder .. "/f/g")
    assert.is_nil(ok)
    assert.is_truthy(message:find(folder .. "/f", 1, true))
  end)

  it("writes whole files and leaves nothing beside them", function()
    local path, text = folder .. "/f", ("a\0\n"):rep(100000)
    assert.is_true(sys.fsync_write(path, "old"))
    assert.is_true(sys.fsync_write(path, text))
    assert.equal(text, files.read(path))
    assert.equal("file", sys.exists(path))
    assert.equal(2, #sys.listdir(folder))
    assert.is_true(sys.rename(path, folder .. "/g"))
    assert.is_false(sys.exists(path))
  end)

  it("says which file it could not write", function()
    local ok, message = sys.fsync_write("/nowhere/f", "x")
    assert.is_nil(ok)
    assert.equal("/nowhere/f: No such file or directory", message)
    ok, message = sys.rename(folder .. "/none", folder .. "/g")
    assert.is_nil(ok)
    assert.is_truthy(message:find("No such file", 1, true))
    ok = sys.fsync_write(folder .. "/a", "a folder is in the way")
    assert.is_nil(ok)
    assert.same({"a"}, sys.listdir(folder))
  end)

  it("raises on wrong arguments", function()
    assert.has_error(function() sys.exists() end)
    assert.has_error(function() sys.fsync_write("x") end)
    assert.has_error(function() sys.isatty "one" end)
  end)
end)
