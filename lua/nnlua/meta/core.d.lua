---@meta
-- What C registers: tensors, and the little of nnlua.core that scripts may use.

---@class nn.Tensor
---@field shape integer[] the sizes
---@field ndim integer number of axes
---@field dtype "float32"|"int32"|"uint8"
---@field size integer number of elements
---@field [integer] nn.Tensor|number a view one axis down, or an element of a vector
---@operator add(nn.Tensor|number): nn.Tensor
---@operator sub(nn.Tensor|number): nn.Tensor
---@operator mul(nn.Tensor|number): nn.Tensor
---@operator div(nn.Tensor|number): nn.Tensor
---@operator pow(nn.Tensor|number): nn.Tensor
---@operator mod(nn.Tensor|number): nn.Tensor
---@operator unm: nn.Tensor
---@operator len: integer
local Tensor = {}

---The same elements under other sizes; one may be -1.
---@param shape integer[]
---@return nn.Tensor
function Tensor:reshape(shape) end

---The axes reversed, or in the order given: a view.
---@param axes? integer[]
---@return nn.Tensor
function Tensor:transpose(axes) end

---Inclusive ranges, one an axis: a view.
---@param ranges integer[][]
---@return nn.Tensor
function Tensor:slice(ranges) end

---A new tensor of another dtype.
---@param dtype "float32"|"int32"|"uint8"
---@return nn.Tensor
function Tensor:astype(dtype) end

---A new tensor with the same elements.
---@return nn.Tensor
function Tensor:clone() end

---The number of a tensor with one element.
---@return number
function Tensor:item() end

---Nested tables of numbers.
---@return table
function Tensor:totable() end

---Elements of another tensor into this one's storage.
---@param src nn.Tensor
function Tensor:copy_from(src) end

---@class nn.core
local core = {}

---What this build is and what it runs on, in one line.
---@return string
function core.about() end

---@param value any
---@return boolean
function core.is_tensor(value) end

return core
