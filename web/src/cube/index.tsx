export default function Cube() { return null; }
